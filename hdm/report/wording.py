"""Figures as sentences: what the report says about the numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pandas as pd
from scipy.stats import binomtest

from hdm.evaluation.bootstrap import Interval
from hdm.evaluation.evaluation import Evaluation
from hdm.evaluation.false_alarm_law import false_alarms_by_chance
from hdm.report.page import Figure, Table

MISSING = "–"
SURPRISING = 0.01  # one-sided p-value below which the false-alarm rate is not chance


@dataclass(frozen=True)
class ThresholdFacts:
    """How the threshold came about: on `images` held-out good images of `parts` parts (0: as many),
    for a stated rate, or by cost.

    smallest_rate: the smallest false-alarm rate that so many parts can promise. certified: whether
    the stated one is proven. costs: of an escape and of a false reject, and the expected share of
    defects; None where a rate was stated. promise: what is promised, in a sentence.
    picture_rate: expected share of good pictures with a false alarm, at most.
    """

    false_alarm_rate: float
    images: int
    smallest_rate: float
    certified: bool
    costs: tuple[float, float, float] | None = None
    escape_rate: float | None = None
    expected_cost: float | None = None
    parts: int = 0
    promise: str = ""
    picture_rate: float | None = None


def figures(evaluation: Evaluation, coverage: float) -> tuple[Figure, ...]:
    """The headline numbers."""
    metrics, confusion = evaluation.metrics, evaluation.confusion
    limit = evaluation.aupro_limit
    meanings = {
        "image_auroc": ("Image AUROC", lambda v: f"A defective part scores higher than a good one "
                        f"in {percent(v)} of all pairs; chance gives 50 %."),
        "pixel_auroc": ("Pixel AUROC", lambda v: f"A defect pixel is rated above a normal pixel in "
                        f"{percent(v)} of all pairs."),
        "aupro": (f"AUPRO to {percent(limit)}", lambda v: f"On average {percent(v)} of each defect "
                  f"region is covered, over false-positive rates up to {percent(limit)}."),
        "image_ap": ("Image AP", lambda v: f"Of the parts ranked as worst, {percent(v)} are "
                     "defective on average over all recalls; chance gives "
                     f"{percent(confusion.defects / (confusion.defects + confusion.good))}."),
        "recall": ("Recall at the threshold", lambda v: f"{confusion.true_positives} of "
                   f"{confusion.defects} defective parts are caught."),
        "false_alarm_rate": ("False alarms at the threshold", lambda v:
                             f"{confusion.false_positives} of {confusion.good} good parts would "
                             "be rejected; with so many parts, a true rate of up to "
                             f"{percent(_highest_rate(evaluation, coverage))} is plausible."),
    }
    shown = []
    for name, (label, meaning) in meanings.items():
        value = metrics[name]
        show = percent if name in ("recall", "false_alarm_rate") else fraction
        text = meaning(value) if value is not None else \
            f"Not available: {evaluation.undefined[name]}."
        shown.append(Figure(label, show(value), range_text(evaluation.intervals.get(name),
                                                           coverage, show), text))
    return tuple(shown)


def _highest_rate(evaluation: Evaluation, coverage: float) -> float:
    """Upper end of the exact binomial interval: wider than 0 even if there was no false alarm."""
    confusion = evaluation.confusion
    return float(binomtest(confusion.false_positives, confusion.good)
                 .proportion_ci(coverage).high)


def range_text(interval: Interval | None, coverage: float,
               show: Callable[[float | None], str]) -> str:
    """'95 % interval 0.93 to 0.99'; nothing where there is none or it has no width."""
    if interval is None or interval.low is None or interval.low == interval.high:
        return ""
    return f"{coverage * 100:g} % interval {show(interval.low)} to {show(interval.high)}"


def verdict(evaluation: Evaluation, facts: ThresholdFacts,
            ) -> tuple[Literal["good", "warn", "neutral"], str]:
    """What the detector does at its threshold, and whether that is what was asked for."""
    confusion, threshold = evaluation.confusion, evaluation.threshold
    parts = []
    if confusion.defects:
        parts.append(f"catches {confusion.true_positives} of {confusion.defects} defective parts")
    if confusion.good:
        parts.append(f"raises {confusion.false_positives} false "
                     f"{'alarm' if confusion.false_positives == 1 else 'alarms'} on "
                     f"{confusion.good} good parts ({percent(confusion.false_alarm_rate.value)}; "
                     f"{percent(facts.false_alarm_rate)} was "
                     f"{'expected' if facts.costs else 'asked for'})")
    text = f"At the calibrated threshold {threshold:.4g} the detector {' and '.join(parts)}."
    if too_many_alarms(evaluation, facts):
        return "warn", text + (" That is more than chance explains: the good test images differ "
                               "from those that the threshold was set on.")
    if not confusion.defects:
        return "neutral", text + (" There are no defective test images, so this says nothing about "
                                  "how many defects it finds.")
    return ("neutral" if confusion.false_negatives else "good"), text


def too_many_alarms(evaluation: Evaluation, facts: ThresholdFacts) -> bool:
    """Whether so many false alarms would be rare if test and calibration images were alike.

    This counts parts, and that the threshold itself is uncertain (`false_alarms_by_chance`). The
    bootstrap interval must lie above the rate as well.
    """
    scores, n = evaluation.scores, facts.parts or facts.images
    bad = scores.loc[scores["label"] == 1, "group"]
    stopped = scores.loc[scores["decision"] != "good", "group"]
    good = set(scores["group"]) - set(bad)
    if not good or not n:
        return False
    alarms = false_alarms_by_chance(n, len(good), facts.false_alarm_rate)
    chance = alarms.sf(len(good & set(stopped)) - 1)
    low = evaluation.intervals["false_alarm_rate"].low
    return bool(chance < SURPRISING) and (low is None or low > facts.false_alarm_rate)


def threshold_text(facts: ThresholdFacts, threshold: float) -> tuple[str, ...]:
    """How the threshold was calibrated."""
    if facts.costs:
        return _cost_text(facts, threshold)
    stated = percent(facts.false_alarm_rate)
    aim = f"so that at most {stated} of good parts are called defective" if facts.certified else \
        f"as near to {stated} of good parts called defective as they can promise"
    first = (f"The threshold {threshold:.4g} was set on {_images(facts)} that were held out from "
             f"training, and had no say in the scores, {aim}. No defective image and no test image "
             "was used.")
    return first, _promised(facts)


def _cost_text(facts: ThresholdFacts, threshold: float) -> tuple[str, ...]:
    escape, reject, rate = facts.costs or (0.0, 0.0, 0.0)
    first = (f"The threshold {threshold:.4g} is the cheapest for an escape that costs {escape:g}, "
             f"a false reject that costs {reject:g}, and {percent(rate)} defective parts. It was "
             f"read from {_images(facts)}, held out, and from synthetic defects on such images; no "
             "defective image and no test image was used.")
    second = (f"Expected there: {percent(facts.false_alarm_rate)} false rejects, "
              f"{percent(facts.escape_rate)} escapes, a cost of {facts.expected_cost or 0:.4g} a "
              "part. Real defects may be harder to see than synthetic ones.")
    return first, second, _promised(facts)


def _images(facts: ThresholdFacts) -> str:
    several = f" of {facts.parts} parts" if facts.parts not in (0, facts.images) else ""
    return f"{facts.images} good images{several}"


def _promised(facts: ThresholdFacts) -> str:
    """What is promised of parts, and what is to be expected of pictures where that is less."""
    single = facts.picture_rate
    if single is None or facts.parts in (0, facts.images):
        return facts.promise
    return (f"{facts.promise} Of single pictures, at most {percent(single)} with a false alarm are "
            "expected.")


def confusion_table(evaluation: Evaluation) -> Table:
    """Truth down, decision across."""
    c, counts = evaluation.confusion, evaluation.metrics
    return Table("", ("", "called good", "stopped", "of these undecidable", "all"), (
        ("good", f"{c.true_negatives:,}", f"{c.false_positives:,}",
         f"{counts['undecidable_good']:,}", f"{c.good:,}"),
        ("defect", f"{c.false_negatives:,}", f"{c.true_positives:,}",
         f"{counts['undecidable_defects']:,}", f"{c.defects:,}")),
        f"F1 {fraction(c.f1.value)}, precision {percent(c.precision.value)}, "
        f"recall {percent(c.recall.value)}.")


def type_table(by_type: pd.DataFrame, coverage: float) -> Table | None:
    """One row a defect type, intervals on a second line of their cells."""
    if by_type.empty:
        return None

    def ranged(row: dict, name: str) -> str:
        if pd.isna(row[name]):
            return MISSING
        low, high = row[f"{name}_low"], row[f"{name}_high"]
        if pd.isna(low) or low == high:
            return fraction(row[name])
        return f"{fraction(row[name])}\n{fraction(low)} to {fraction(high)}"

    rows = tuple((row["defect_type"], f"{row['images']:,}", percent(row["recall"]),
                  ranged(row, "image_auroc"), ranged(row, "pixel_auroc"), fraction(row["aupro"]))
                 for row in by_type.to_dict("records"))
    unmasked = int((by_type["images"] - by_type["masks"]).sum())
    note = (f"Each type against all good test images; below the values, {coverage * 100:g} % "
            "intervals by bootstrap over groups.")
    if unmasked:
        note += f" {unmasked} defective images have no mask and take no part in pixel figures."
    return Table("", ("type", "images", "recall", "image AUROC", "pixel AUROC", "AUPRO"), rows,
                 note)


def remarks(evaluation: Evaluation) -> tuple[str, ...]:
    """What a reader must know before trusting a figure."""
    said = []
    if "precision" in evaluation.undefined:
        said.append(f"Precision is not available: {evaluation.undefined['precision']}.")
    whole = [name for name, found in evaluation.intervals.items()
             if found.low is not None and found.low == found.high]
    if whole:
        said.append("No interval is given where every resample has the same value. That is the "
                    "limit of the bootstrap, not certainty: a mistake that is not among these "
                    "test images cannot show in them.")
    return tuple(said)


def fraction(value: float | None) -> str:
    """0.9876 as '0.988'; a value that only rounds to 1 stays below it."""
    if value is None or pd.isna(value):
        return MISSING
    return "0.999+" if 0.9995 <= value < 1 else f"{value:.3f}"


def percent(value: float | None) -> str:
    """0.051 as '5.1 %'; a value that only rounds to 100 stays below it."""
    if value is None or pd.isna(value):
        return MISSING
    return "99.9+ %" if 0.9995 <= value < 1 else f"{value * 100:.1f}".removesuffix(".0") + " %"
