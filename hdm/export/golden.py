"""Pictures with the detector's own answers, by which an exported folder is checked elsewhere."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hdm.detector.detector import HDM, Prediction
from hdm.export.agreement import EXACT
from hdm.files import write_json

MOST = 4
PLACES = 16
"""Rows and columns of an anomaly map that are kept."""
CLEAR = 10 * EXACT.score
"""Distance from the threshold at which no rounding changes a decision."""


class Golden(NamedTuple):
    """A picture, and what the detector says of it."""

    image: np.ndarray
    answer: Prediction


def chosen(detector: HDM, images: Sequence[np.ndarray]) -> list[Golden]:
    """At most four of the images, of each decision one, and then the first ones; none whose score
    is near the threshold."""
    answered = [Golden(image, answer) for image, answer in
                zip(images, detector.predict(images), strict=True)
                if abs(answer.score - answer.threshold) > CLEAR * max(1.0, abs(answer.score))]
    first: dict[str, Golden] = {}
    for one in answered:
        first.setdefault(one.answer.decision, one)
    taken = list(first.values())
    more = [one for one in answered if not any(one is other for other in taken)]
    return [*taken, *more][:MOST]


def write_golden(pictures: Sequence[Golden], folder: Path) -> None:
    """Pixels as .npy, and expected.json."""
    folder.mkdir()
    expected = []
    for number, (image, answer) in enumerate(pictures):
        np.save(folder / f"{number}.npy", image)
        rows, columns = (np.arange(PLACES) * side // PLACES for side in image.shape[:2])
        expected.append({
            "picture": f"{number}.npy", "decision": answer.decision, "score": answer.score,
            "rows": rows.tolist(), "columns": columns.tolist(), "tolerance": EXACT.score,
            "map": answer.anomaly_map[np.ix_(rows, columns)].tolist()})
    write_json(folder / "expected.json", expected)
