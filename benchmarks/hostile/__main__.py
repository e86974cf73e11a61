"""What trained lines say of hostile pictures, of good parts and of defects.

    python -m benchmarks.hostile brushed_plate woven_mesh cast_bracket --oriented brushed_plate

Run in a project whose lines are trained. Makes the pictures from held-out good ones of each line,
lets its detector judge them, and prints and writes which are called good that a person would not
call good. Other parts are the other lines' good ones. With --fit the limits are fitted anew, for
detectors that were trained before there were any; nothing of the project is changed.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.hostile.hostile_pictures import expects_stop, hostile
from hdm.dataset.evenly import evenly
from hdm.dataset.images import read_image
from hdm.dataset.manifest import Manifest
from hdm.detector.detector import HDM, Prediction
from hdm.files import write_json, write_text
from hdm.line import Line
from hdm.pom.discrimination.decidability_fit import GoodPictures, fit_decidability

RESULTS = Path(__file__).parent / "results"
SOURCES = 3
"""Held-out good pictures of a line that hostile ones are made from."""
COMPARED = 200
"""Good pictures by whose brightness too dark and too bright are told."""


def main(arguments: list[str] | None = None) -> int:
    """Judge and write; returns 1 if a picture is called good that a person would not."""
    choice = _parser().parse_args(arguments)
    lines = {name: Line.load(name) for name in choice.lines}
    known = {name: next(_images(line, "train", 1)) for name, line in lines.items()}
    found = [judged(line, [image for name, image in known.items() if name != line.name],
                    oriented=line.name in choice.oriented, fit=choice.fit)
             for line in lines.values()]
    write_json(choice.out / "hostile.json", {"lines": found})
    write_text(choice.out / "hostile.md", tables(found))
    print(tables(found))
    return int(any(row["called_good"] for row in found))


def judged(line: Line, others: Sequence[np.ndarray], *, oriented: bool, fit: bool
           ) -> dict[str, Any]:
    """All figures of one line, as plain values."""
    detector = _detector(line, fit=fit)
    goods = list(_images(line, "train", COMPARED))
    kinds: dict[str, list[dict[str, Any]]] = {}
    for source in _images(line, "calibration", SOURCES):
        for one in hostile(source, others):
            told, = detector.predict([one.image])
            kinds.setdefault(one.kind, []).append({
                "decision": told.decision, "reasons": [doubt.code for doubt in told.reasons],
                "expected_stop": expects_stop(one, goods, oriented=oriented)})
    limits = None if detector.decidability is None else detector.decidability.limits
    return {
        "line": line.name, "oriented": oriented, "kinds": kinds,
        "pictures": sum(map(len, kinds.values())),
        "called_good": sorted(kind for kind, rows in kinds.items() if any(
            row["decision"] == "good" and row["expected_stop"] for row in rows)),
        "limits": limits and limits.as_dict(),
        "held_out_good": _counts(detector, line, "calibration", label=0),
        "test_good": _counts(detector, line, "test", label=0),
        "test_defects": _counts(detector, line, "test", label=1)}


def tables(found: Sequence[dict[str, Any]]) -> str:
    """Markdown: one row a line, then one a kind."""
    rows = ["| line | kinds | pictures | called good that should not be | good parts undecidable, "
            "held out | test | test defects undecidable | detected | missed |",
            "|---|--:|--:|---|--:|--:|--:|--:|--:|"]
    for one in found:
        defects = one["test_defects"]
        rows.append(
            f"| `{one['line']}` | {len(one['kinds'])} | {one['pictures']} | "
            f"{', '.join(one['called_good']) or 'none'} | {_share(one['held_out_good'])} | "
            f"{_share(one['test_good'])} | {_share(defects)} | {defects['defect']} | "
            f"{defects['good']} |")
    names = [f"`{one['line']}`" for one in found]
    rows += ["", f"| kind | {' | '.join(names)} |", f"|---|{'---|' * len(found)}"]
    kinds = dict.fromkeys(kind for one in found for kind in one["kinds"])
    rows += [f"| {kind} | {' | '.join(_cell(one['kinds'].get(kind, [])) for one in found)} |"
             for kind in kinds]
    return "\n".join(rows) + "\n"


def _cell(rows: Sequence[dict[str, Any]]) -> str:
    """The commonest answer, and what most often speaks against judging; ! where it is wrong."""
    if not rows:
        return ""
    decision, count = Counter(row["decision"] for row in rows).most_common(1)[0]
    codes = Counter(code for row in rows for code in row["reasons"]).most_common(1)
    wrong = any(row["decision"] == "good" and row["expected_stop"] for row in rows)
    why = f": {codes[0][0]}" if codes and decision == "undecidable" else ""
    return f"{decision}{why}{'' if count == len(rows) else f' ({count}/{len(rows)})'}" + \
        (" **!**" if wrong else "")


def _share(counts: dict[str, int]) -> str:
    total = sum(counts.values())
    return f"{counts['undecidable']} of {total}" if total else "none"


def _counts(detector: HDM, line: Line, split: str, *, label: int) -> dict[str, int]:
    images = _images(line, split, None, label)
    told = Counter(found.decision for image in images for found in _predicted(detector, image))
    return {decision: told[decision] for decision in ("good", "defect", "undecidable")}


def _predicted(detector: HDM, image: np.ndarray) -> list[Prediction]:
    return detector.predict([image])


def _images(line: Line, split: str, most: int | None, label: int = 0) -> Iterator[np.ndarray]:
    """Up to `most` pictures of a split, spread over it."""
    manifest = Manifest.load(line.manifest_file, line.source_root).split(split)
    rows = [row for row in manifest if row.label == label]
    for number in evenly(len(rows), most or max(1, len(rows))):
        yield read_image(manifest.image_file(rows[number]))


def _detector(line: Line, *, fit: bool) -> HDM:
    compute, point = line.params.compute, line.operating_point_file
    detector = HDM.load(line.detector_folder, device=compute.device, precision=compute.precision,
                        threads=compute.threads,
                        operating_point=point if point.is_file() else None)
    if not fit:
        return detector
    decidability = fit_decidability(
        detector.scorer.ddm, _good(line, "train"), _good(line, "calibration"),
        line.params.benign, line.params.ddm_train.undecidable_rate, seed=line.params.seed)
    return HDM(detector.scorer, detector.calibration, detector.operating_point, detector.info,
               decidability)


def _good(line: Line, split: str) -> GoodPictures:
    manifest = Manifest.load(line.manifest_file, line.source_root).split(split)
    rows = list(manifest)
    return GoodPictures(lambda number: read_image(manifest.image_file(rows[number])),
                        [row.group for row in rows])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile",
                                     description="Hostile pictures before trained lines.")
    parser.add_argument("lines", nargs="+")
    parser.add_argument("--oriented", nargs="*", default=[], metavar="LINE", help=(
        "lines on which every part lies the same way and has a form of its own"))
    parser.add_argument("--fit", action="store_true", help="fit the limits anew")
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
