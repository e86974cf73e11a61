"""`python -m benchmarks.advisories ADVISORIES`: exit code 1 if a pinned version is known to be
vulnerable. ADVISORIES: an OSV file, a folder of them, or the ZIP dump of the ecosystem PyPI.
"""

import sys
from pathlib import Path

from benchmarks.advisories.pinned_versions import advisories, findings, pins

PINNED = Path(__file__).parents[2] / "requirements.txt"


def main(arguments: list[str]) -> int:
    """Print what is found; 2 where the advisories cannot be read."""
    if len(arguments) != 1:
        print(f"error: {' '.join((__doc__ or '').split())}", file=sys.stderr)
        return 2
    pinned = pins(PINNED.read_text(encoding="utf-8"))
    try:
        known = list(advisories(Path(arguments[0])))
    except (OSError, ValueError) as error:
        print(f"error: cannot read advisories: {error}; give a file in the OSV format.",
              file=sys.stderr)
        return 2
    found = findings(pinned, known)
    for one in found:
        print(f"{one.pin}: {one.advisory} {one.summary}")
    print(f"{len(pinned)} pinned versions, {len(known)} advisories, {len(found)} findings")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
