"""`python -m benchmarks.feedback --set mtd --seed 0 --preset fast`: what people's word is worth.

Ten confirmed defects and twenty false alarms of one half of a set's test parts are learned from;
the other half is measured before and after. One set and seed a process.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.quality.presets import PRESETS, PROJECT
from hdm.errors import HDMError
from hdm.files import write_json


def main() -> int:
    """Read the command line, write a row; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", required=True, dest="name")
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument("--preset", default="fast", choices=PRESETS)
    parser.add_argument("--data", type=Path, default=PROJECT.parent / "shared" / "data",
                        help="folder of the sets in MVTec AD layout")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--no-masks", action="store_true",
                        help="say of defects that they are there, not where")
    parser.add_argument("--rows", type=Path, help="file for the row, JSON")
    choice = parser.parse_args()
    from benchmarks.feedback.before_after import run

    try:
        row = run(choice.data / choice.name, choice.preset, choice.seed, choice.threads,
                  masks=not choice.no_masks)
    except HDMError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    if choice.rows:
        write_json(choice.rows, row)
    for time in ("before", "after"):
        own = row[time]
        print(f"{choice.name} {choice.seed} {time}: recall {own['recall']:.3f} and false alarms "
              f"{own['false_alarms']:.3f} of parts; recall at 5 % / 10 % false alarms "
              f"{own['recall_at']['0.05']:.3f} / {own['recall_at']['0.10']:.3f}; AUROC "
              f"{own['image_auroc']:.3f}")
    print(f"recall at the false alarms of before: {row['before']['recall']:.3f} -> "
          f"{row['after']['recall_at_equal_false_alarms']:.3f}; learned: "
          f"{row['notes']['learned']} {row['notes']['worth']}, "
          f"{row['total_seconds']:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
