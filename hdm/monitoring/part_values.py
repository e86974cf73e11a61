"""One value a part: pictures of one part are alike, and are no more evidence than one of them.

Of each part one picture is drawn, by the digits of its hash in the log and by a fixed draw among
the calibration images. Where parts are exchangeable so are their drawn pictures, whatever camera
they are of and however alike those of a part are.
"""

import hashlib

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hdm.detector.calibration import Calibration
from hdm.monitoring.prediction_log import UNDECIDABLE

LATE = 100
"""Parts after which one that lacks pictures counts as it is."""


def drawn_of(calibration: Calibration) -> NDArray[np.int64]:
    """The place of the picture that is drawn of each calibration part, (parts,)."""
    groups = np.asarray(calibration.groups or range(len(calibration.normal_scores)))
    order = np.argsort(groups, kind="stable")
    _, first, counts = np.unique(groups[order], return_index=True, return_counts=True)
    return np.asarray(order[first + np.random.default_rng(0).integers(counts)])


def highest_of(calibration: Calibration) -> NDArray[np.float64]:
    """The largest score of each calibration part, in the order of `drawn_of`."""
    groups = np.asarray(calibration.groups or range(len(calibration.normal_scores)))
    scores = pd.Series(calibration.normal_scores, dtype=float)
    return scores.groupby(groups).max().to_numpy()


def by_part(rows: pd.DataFrame, calibration: Calibration) -> pd.DataFrame:
    """One row a part, in the order in which the parts were complete.

    rows: `counted` ones of the log; one without a part is its own. The row is that of the picture
    drawn among all, its figures those of the one drawn among the decided ones; id is that of the
    part's last row, highest the largest score of its decided pictures (NaN without any).

    A part is complete with as many pictures as the largest calibration part has: a number that
    comes again after that is of another part, as counters begin anew. With as many as the smallest
    has it is when the next part has come; and with fewer, after `LATE` others.
    """
    if rows.empty:
        return rows.assign(highest=np.nan)
    sizes = calibration.pictures
    alone = rows["part"].isna().to_numpy()
    name = np.where(alone, "#" + rows["id"].astype(str), rows["part"].fillna("").astype(str) + "/")
    turn = pd.Series(name).groupby(name).cumcount().to_numpy() // int(sizes.max())
    member = pd.factorize(pd.Series(name) + turn.astype(str))[0]
    seen = rows.assign(member=member, draw=_draws(rows))
    size, last = np.bincount(member), seen.groupby("member")["id"].max().to_numpy()
    newest = np.arange(len(size)) == member[-1]
    settled = ((size >= sizes.max()) | ((size >= sizes.min()) & ~newest)
               | (np.arange(len(size)) < len(size) - LATE))
    settled[member[alone]] = True
    drawn = seen.sort_values("draw").drop_duplicates("member").set_index("member").sort_index()
    decided = seen[(seen["decision"] != UNDECIDABLE) & seen["score"].notna()]
    figures = decided.sort_values("draw").drop_duplicates("member").set_index("member")
    columns = ["score", "brightness", "contrast", "sharpness", "pixel_hash"]
    drawn[columns] = figures[columns].reindex(drawn.index)
    drawn["highest"] = decided.groupby("member")["score"].max().reindex(drawn.index)
    return drawn.assign(id=last)[settled].sort_values("id").drop(columns="draw")


def doubt(rows: pd.DataFrame, calibration: Calibration) -> str:
    """Why the stated rate of false alarms cannot be promised; "" where it can.

    rows: `counted` ones.
    """
    largest = int(calibration.pictures.max())
    unknown = int(rows["part"].isna().sum())
    if largest > 1 and unknown:
        return (f"Calibration parts have up to {largest} pictures each, and {unknown:,} of "
                f"{len(rows):,} logged pictures do not say which part they show. Pictures of one "
                "part are alike, so that an alarm may be false, and none asks for a retraining by "
                "itself. Say the part with part_rule in the line's source, `--part`, or the form's "
                "field `part`.")
    if largest == 1 and rows["part"].dropna().duplicated().any():
        return ("Some logged parts have several pictures, and calibration parts one each. Pictures "
                "of one part are alike, so that an alarm may be false, and none asks for a "
                "retraining by itself. Say in the line's images, too, which show one part "
                "(part_rule in its source, or parts.csv), and train again.")
    return ""


def _draws(rows: pd.DataFrame) -> "pd.Series[str]":
    """A random text of each picture, the same at every look."""
    # Other digits than those that decide which images are kept, and how ties are broken.
    by_pixels = rows["pixel_hash"].str[29:45]
    missing = rows["id"][by_pixels.isna()].map(
        lambda number: hashlib.sha256(str(number).encode()).hexdigest()[:16])
    return by_pixels.fillna(missing)
