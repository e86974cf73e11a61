"""One check of the gate, and what all checks name alike."""

from collections.abc import Mapping
from typing import NamedTuple

from hdm.evaluation.paired import SAVING

ROUNDING = 1e-9  # a tie in the last bit is a tie
TITLES = {"image_auroc": "image AUROC", "pixel_auroc": "pixel AUROC",
          SAVING: "cost at the operating point"}
Metrics = Mapping[str, float | None]


class Reason(NamedTuple):
    """One check: a stable code, a sentence for people, and the two numbers it compared."""

    code: str
    sentence: str
    measured: float | None = None
    required: float | None = None
