"""Counting by part what is stopped, with exact intervals."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from hdm.dataset.manifest import GOOD
from hdm.evaluation.detection import Detection, Stopped

DEFECTS = "defects"
PASSED, UNDECIDABLE = "good", "undecidable"


def count_stopped(rows: Iterable[Mapping[str, Any]], coverage: float) -> Detection:
    """Of the rows of `Collected`: `label`, `defect_type`, `group`, `decision`.

    A type's parts are those with a picture of it; such a part is stopped by any of its pictures.
    """
    seen = list(rows)
    defective = np.array([bool(row["label"]) for row in seen], dtype=bool)
    kinds = np.array([str(row["defect_type"]) for row in seen])
    decisions = np.array([str(row["decision"]) for row in seen])
    _, part = np.unique([str(row["group"]) for row in seen], return_inverse=True)
    stopped, unsure = decisions != PASSED, decisions == UNDECIDABLE
    part_defective, part_stopped = any_of(defective, part), any_of(stopped, part)
    part_unsure = part_stopped & ~any_of(stopped & ~unsure, part)

    def of(kind: str, parts: NDArray[np.bool_], images: NDArray[np.bool_]) -> Stopped:
        total, caught = int(parts.sum()), int(part_stopped[parts].sum())
        return Stopped(kind, total, caught, int(part_unsure[parts].sum()), int(images.sum()),
                       int(stopped[images].sum()), int(unsure[images].sum()),
                       *clopper_pearson(caught, total, coverage))

    return Detection(
        of(GOOD, ~part_defective, ~defective), of(DEFECTS, part_defective, defective),
        tuple(of(kind, any_of(kinds == kind, part), kinds == kind)
              for kind in sorted(set(kinds[defective].tolist()))), coverage)


def any_of(marked: NDArray[np.bool_], part: NDArray[np.intp]) -> NDArray[np.bool_]:
    """(N,) of images as (P,) of parts: whether any picture of a part is marked."""
    return np.bincount(part, weights=marked) > 0


def clopper_pearson(count: int, total: int, coverage: float) -> tuple[float | None, float | None]:
    """Exact two-sided interval of a share; None twice where there is nothing to count."""
    if not total:
        return None, None
    miss = (1 - coverage) / 2
    low = float(betaincinv(count, total - count + 1, miss)) if count else 0.0
    high = float(betaincinv(count + 1, total - count, 1 - miss)) if count < total else 1.0
    return low, high
