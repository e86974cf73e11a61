"""Which images go on which heat-map sheet, worst first."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from hdm.dataset.ignore_mask import ignored_pixels
from hdm.dataset.images import read_image, read_mask
from hdm.dataset.manifest import GOOD, Manifest
from hdm.drawing.heatmaps import Card, strip
from hdm.evaluation.evaluation import Evaluation
from hdm.evaluation.stopped_parts import PASSED, UNDECIDABLE


@dataclass(frozen=True)
class Chapter:
    """One sheet: `rows` are positions in the test split, worst first; `name` is the file's stem."""

    name: str
    title: str
    order: str
    rows: tuple[int, ...]


def chapters(evaluation: Evaluation) -> list[Chapter]:
    """Every sheet that has at least one image: by outcome, then by defect type."""
    scores = evaluation.scores
    defect, called = scores["label"] == 1, scores["decision"] != PASSED
    undecidable = scores["decision"] == UNDECIDABLE
    closest, highest = "lowest score first", "highest score first"
    found = [
        _chapter("escapes", "Escapes: missed defects", scores[defect & ~called], closest),
        _chapter("false_alarms", "False alarms: good parts called defective",
                 scores[~defect & called & ~undecidable], highest),
        _chapter("detected", "Detected defects", scores[defect & called & ~undecidable], closest),
        _chapter("undecidable", "Undecidable pictures", scores[undecidable], highest),
        _chapter("good", "Good parts that passed", scores[~defect & ~called], highest)]
    taken = {chapter.name for chapter in found}
    for kind in sorted(set(scores["defect_type"]) - {GOOD}):
        name = file_stem(kind, taken)
        taken.add(name)
        found.append(_chapter(name, f"Defect type {kind}", scores[scores["defect_type"] == kind],
                              closest))
    return [chapter for chapter in found if chapter.rows]


def _chapter(name: str, title: str, rows: pd.DataFrame, order: str) -> Chapter:
    ranked = rows.sort_values(["score", "path"], ascending=[order.startswith("lowest"), True])
    return Chapter(name, title, order, tuple(int(n) for n in ranked.index))


def file_stem(kind: str, taken: set[str]) -> str:
    """A file name for a defect type, unlike all in `taken` even where case does not count."""
    stem = "type_" + re.sub(r"[^\w-]+", "_", kind)[:60]
    number, name = 1, stem
    while name.casefold() in {other.casefold() for other in taken}:
        number += 1
        name = f"{stem}_{number}"
    return name


def cards(chapter: Chapter, manifest: Manifest, evaluation: Evaluation, most: int,
          ignored: str = "") -> Iterator[Card]:
    """The first `most` images of a sheet, read from the source again; ignored: the ignore mask as
    text."""
    rows = list(manifest.frame.iloc[list(chapter.rows[:most])].itertuples(index=False))
    for place, row in zip(chapter.rows, rows, strict=False):
        file = manifest.mask_file(row)
        mask = read_mask(file) if row.label and file is not None else None
        if mask is not None and not mask.any():
            mask = None
        image = read_image(manifest.image_file(row))
        picture = strip(image, mask, evaluation.thumbnails[place], bool(row.label),
                        ignored_pixels(ignored, *image.shape[:2]))
        yield Card(picture, row.path, *_verdict(evaluation.scores.iloc[place], evaluation))


def _verdict(row: pd.Series, evaluation: Evaluation) -> tuple[str, bool]:
    """What was decided and why, and whether that was wrong."""
    stopped = row["decision"] != PASSED
    wrong = bool(row["label"]) != stopped
    if row["decision"] == UNDECIDABLE:
        truth = "defect" if row["label"] else "good"
        return f"{truth}, undecidable: {row['reasons']}", wrong
    outcome = {(1, True): "defect, detected", (1, False): "defect, missed",
               (0, True): "good, false alarm", (0, False): "good, passed"}[row["label"], stopped]
    threshold = evaluation.threshold
    sign = ">" if row["score"] > threshold else "≤"
    return f"{outcome} · score {row['score']:.4g} {sign} threshold {threshold:.4g}", wrong
