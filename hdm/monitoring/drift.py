"""Has a line changed since its model was calibrated? Six streams, each with a test martingale.

The probability that a line on which nothing changes ever raises an alarm is at most the stated
one, however often it is looked at: each of the streams gets its equal part of it (Bonferroni).
"Nothing changes" means that good parts are exchangeable with the calibration parts; each of them
counts once, by one of its pictures (`hdm.monitoring.part_values`).
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import beta

from hdm.detector.calibration import Calibration
from hdm.detector.operating_point import OperatingPoint
from hdm.monitoring.martingales import (
    SCALES,
    SHIFTS,
    Array,
    capital,
    change_point,
    conformal_ranks,
    event_bets,
    rank_bets,
    wealth,
)
from hdm.monitoring.part_values import by_part, drawn_of, highest_of
from hdm.monitoring.prediction_log import UNDECIDABLE

LOOKS = ("brightness", "contrast", "sharpness")
DEFECTS = "defects"
STREAMS = ("score", *LOOKS, DEFECTS, UNDECIDABLE)
Direction = Literal["up", "down", "wider", "narrower", ""]
HIGHEST_SHARE = 0.99
RECENT = 200
"""Values that a stream's present level is taken from."""

# What is said of a stream that has gone up or down, or whose spread grew or shrank.
_WORDS = {
    "score": ("good parts score higher", "good parts score lower",
              "scores of good parts vary more", "scores of good parts vary less"),
    "brightness": ("images have become brighter", "images have become darker",
                   "brightness varies more", "brightness varies less"),
    "contrast": ("images have become richer in contrast", "images have become poorer in contrast",
                 "contrast varies more", "contrast varies less"),
    "sharpness": ("images have become sharper or noisier", "images have become blurred",
                  "sharpness varies more", "sharpness varies less"),
    DEFECTS: ("more parts are called defects", "fewer parts are called defects",
              "the share called defects changes", "the share called defects changes"),
    UNDECIDABLE: ("more images are undecidable than stated",) * 4,
}
_KINDS: tuple[Direction, ...] = ("up", "down", "wider", "narrower")
# What each bet of `rank_bets` is on.
_DIRECTIONS: list[Direction] = [
    *(_KINDS[0] if shift > 0 else _KINDS[1] for shift in SHIFTS),
    *(_KINDS[2] if scale > 1 else _KINDS[3] for scale in SCALES)] * 2


@dataclass(frozen=True)
class Stream:
    """One stream: its evidence after each value, and what it says.

    rows: (m,) row ids of the values. evidence: (m,) natural logarithm of the capital; limit: where
    it is an alarm. crossed: number of the value at which it first was, began: where the change
    that it shows most likely began; None without an alarm. says: the change in words, "" without
    an alarm. level, expected: present and expected median, or share; None if unknown.
    """

    name: str
    rows: NDArray[np.int64]
    evidence: Array
    limit: float
    crossed: int | None
    began: int | None
    direction: Direction
    level: float | None
    expected: float | None

    @property
    def says(self) -> str:
        """The change in words; "" without an alarm."""
        return _WORDS[self.name][_KINDS.index(self.direction)] if self.direction else ""

    @property
    def alarm(self) -> bool:
        """Whether the evidence has ever reached the limit."""
        return self.crossed is not None


def counted(rows: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """The rows that say something of the detector with this threshold: one a distinct image.

    Rows of another threshold are of an earlier operating point, or of an earlier detector that
    was not registered. An image that is judged again is no new part; one that is undecidable again
    is what a camera that died shows.
    """
    other = rows["threshold"].notna() & (rows["threshold"] != threshold)
    first = rows.loc[rows["threshold"] == threshold, "id"].min()
    before = rows.loc[other & ~(rows["id"] > first), "id"].max()
    mine = rows[~other & ~(rows["id"] <= before)]
    new = mine["pixel_hash"].isna() | ~mine["pixel_hash"].duplicated()
    return mine[new | (mine["decision"] == UNDECIDABLE)]


def watch(calibration: Calibration, point: OperatingPoint, rows: pd.DataFrame, alarm_rate: float,
          undecidable_share: float, defect_rate: float | None = None) -> tuple[Stream, ...]:
    """The streams of `counted` rows, in the order of STREAMS: one value a part.

    alarm_rate: the probability of ever raising an alarm while nothing changes.
    undecidable_share: share of images that may be undecidable. defect_rate: expected share of
    defective parts; without it, it is the change of the share called defects that is watched.
    """
    part = alarm_rate / len(STREAMS)
    parts = by_part(rows, calibration)
    decided = parts[parts["highest"].notna()]
    # Strictly below, as the threshold is itself the score of a calibration normal: those below it
    # are exchangeable with new parts below it, the one at it is not.
    good = decided[decided["highest"] < point.threshold].dropna(subset=["score", *LOOKS])
    below = drawn_of(calibration)[highest_of(calibration) < point.threshold]
    looks = np.asarray(calibration.appearance, dtype=float).reshape(-1, len(LOOKS))[below]
    ties = _uniform(good["pixel_hash"])
    references = {"score": np.asarray(calibration.normal_scores, dtype=float)[below],
                  **dict(zip(LOOKS, looks.T, strict=True))}
    streams = []
    for name, reference in references.items():
        values = good[name].to_numpy(float)
        bets = rank_bets(conformal_ranks(reference, values, ties), len(reference))
        expected = float(np.median(reference)) if len(reference) else None
        streams.append(_stream(name, good, values, bets, part, expected))
    return (*streams, _defects(calibration, point, decided, part, defect_rate),
            _undecidable(parts, part, undecidable_share))


def _defects(calibration: Calibration, point: OperatingPoint, decided: pd.DataFrame, part: float,
             defect_rate: float | None) -> Stream:
    """The share called defects: against what is expected, or, as nobody said how many parts are
    defective, against itself."""
    called = (decided["highest"] > point.threshold).to_numpy(float)
    if defect_rate is None:
        ranks = conformal_ranks(np.empty(0), called, _uniform(decided["pixel_hash"]))
        return _stream(DEFECTS, decided, called, rank_bets(ranks, 0), part, None)
    # Half of the doubt is about the false-alarm rate, which few normals do not say exactly.
    share = defect_rate + _highest_false_alarm_rate(calibration, point, part / 2)
    return _stream(DEFECTS, decided, called, event_bets(called, min(share, HIGHEST_SHARE)),
                   part / 2, point.false_alarm_rate + defect_rate)


def _undecidable(rows: pd.DataFrame, part: float, share: float) -> Stream:
    events = (rows["decision"] == UNDECIDABLE).to_numpy(float)
    return _stream(UNDECIDABLE, rows, events, event_bets(events, min(share, HIGHEST_SHARE)), part,
                   share)


def _stream(name: str, rows: pd.DataFrame, values: Array, bets: Array, part: float,
            expected: float | None) -> Stream:
    """The evidence of `bets` on `values`, one a row; an alarm has the probability `part`."""
    capitals = capital(bets)
    evidence, limit = wealth(capitals), -math.log(part)
    crossed = began = None
    direction: Direction = ""
    hits = np.flatnonzero(evidence >= limit)
    if len(hits):
        crossed = int(hits[0])
        best = int(capitals[crossed].argmax())
        began = change_point(bets[:crossed + 1, best])
        # Bets on events are all on more of them.
        direction = _DIRECTIONS[best] if len(_DIRECTIONS) == bets.shape[1] else "up"
    recent = values[max(began or 0, len(values) - RECENT):]
    average = np.mean if name in (DEFECTS, UNDECIDABLE) else np.median
    return Stream(name, rows["id"].to_numpy(), evidence, limit, crossed, began, direction,
                  float(average(recent)) if len(recent) else None, expected)


def _highest_false_alarm_rate(calibration: Calibration, point: OperatingPoint,
                              doubt: float) -> float:
    """What the share of good parts above the threshold is at most, but with probability `doubt`.

    With `above` of n parts above the k-th smallest, that share is Beta(above + 1, n - above)
    distributed. Where the cheapest of n thresholds was chosen, it must hold for all n.
    """
    scores = calibration.part_scores
    count, above = len(scores), int((scores > point.threshold).sum())
    if point.basis == "cost":
        doubt /= count
    return float(beta.isf(doubt, above + 1, max(count - above, 1)))


def _uniform(digests: "pd.Series[str]") -> Array:
    """A uniform number in (0, 1) of each image, so that ties are broken the same at every look."""
    # Other digits than those that decide which images are kept.
    return np.array([(int(digest[16:29], 16) + 0.5) / 16**13 for digest in digests], dtype=float)

