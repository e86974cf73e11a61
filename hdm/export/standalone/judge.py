"""Judge pictures with the model in this folder; ONNX Runtime and NumPy are enough.

    python judge.py PICTURE...              a line a picture
    python judge.py --json PICTURE...       the same as JSON
    python judge.py --maps DIR PICTURE...   and anomaly maps as DIR/0.npy, DIR/1.npy, ...

Exit code: 0 all were judged, 1 some could not be read, 2 this folder is damaged or incomplete.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))  # absent where Python is isolated

import numpy as np
from read_picture import read_picture
from standalone_model import Model, Refused


def main() -> int:
    """Judge the files that are named."""
    parser = argparse.ArgumentParser(description="Judge pictures with the model in this folder.")
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--maps", type=Path, metavar="DIR", help="write anomaly maps as .npy")
    choice = parser.parse_args()
    model, unread = Model(), 0
    for number, file in enumerate(choice.pictures):
        shown = ascii(str(file))[1:-1]  # a name may hold commands for a terminal
        try:
            found = model.judge(read_picture(file))
        except Refused as error:
            print(f"error: {shown}: {error}", file=sys.stderr)
            unread = 1
            continue
        anomaly_map = found.pop("map")
        if choice.maps and anomaly_map is not None:
            choice.maps.mkdir(parents=True, exist_ok=True)
            np.save(choice.maps / f"{number}.npy", anomaly_map)
        print(json.dumps({"picture": str(file), **found}) if choice.json
              else f"{shown}: {sentence(found)}", flush=True)
    return unread


def sentence(found: dict[str, Any]) -> str:
    """An answer for people."""
    out = str(found["decision"])
    if found["reasons"] and out == "undecidable":
        out += f" ({', '.join(found['reasons'])})"
    if found["score"] is not None:
        out += (f", score {found['score']:.3f} (threshold {found['threshold']:.3f}), "
                f"p-value {found['p_value']:.3f}")
    return out + "".join(
        f"\n    region at x {r['left']}, y {r['top']}: {r['width']} x {r['height']} px, "
        f"{r['peak']:.2f}" for r in found["regions"] or ())


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Refused as refused:
        print(f"error: {refused}", file=sys.stderr)
        sys.exit(2)
