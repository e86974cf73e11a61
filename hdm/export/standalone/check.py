"""Does this folder judge here as it did where it was made?

Exit code: 0 it does, 1 it does not, 2 it is damaged or incomplete.
"""

import hashlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # absent where Python is isolated

import numpy as np
from standalone_model import HERE, Model, Refused


def main() -> int:
    """Files by their SHA-256, then the pictures in golden/ by what is expected of them."""
    try:
        model = Model(HERE)
        other = [name for name, digest in model.facts["files"].items()
                 if not (HERE / name).is_file()
                 or hashlib.sha256((HERE / name).read_bytes()).hexdigest() != digest]
        if other:
            raise Refused(f"{', '.join(other)}: not as exported; copy the folder again.")
        return compared(model)
    except Refused as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def compared(model: Model) -> int:
    """1 if an answer is another than the detector's own."""
    bad = 0
    for one in json.loads((HERE / "golden" / "expected.json").read_text("utf-8")):
        found = model.judge(np.load(HERE / "golden" / one["picture"], allow_pickle=False))
        score = abs(found["score"] - one["score"]) / max(1.0, abs(one["score"]))
        anomaly_map = np.abs(
            found["map"][np.ix_(one["rows"], one["columns"])] - one["map"]).max()
        same = found["decision"] == one["decision"] and score <= one["tolerance"] \
            and anomaly_map <= one["tolerance"]
        bad += not same
        print(f"{one['picture']}: {found['decision']} (expected {one['decision']}), score "
              f"{found['score']:.4f} (expected {one['score']:.4f}), map within {anomaly_map:.1g}: "
              f"{'the same' if same else 'ANOTHER ANSWER'}")
    print("This machine judges as the detector does." if not bad else
          f"error: {bad} answers differ; do not use this machine with this folder.")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
