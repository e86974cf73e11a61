"""Figures as sentences: what the report says about the numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from hdm.evaluation.bootstrap import Interval
from hdm.evaluation.detection import Stopped
from hdm.evaluation.evaluation import Evaluation
from hdm.evaluation.false_alarm_law import false_alarms_by_chance
from hdm.evaluation.percent import fraction, percent
from hdm.report.page import Figure

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
    bad, good = evaluation.detection.defects, evaluation.detection.good
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
        "recall": ("Recall at the threshold", lambda v:
                   f"{bad.counts('defective parts')} are stopped; {_escapes(bad)}."),
        "false_alarm_rate": ("False alarms at the threshold", lambda v:
                             f"{good.counts('good parts')} would be stopped; with so many parts, a "
                             f"true rate of up to {percent(good.high)} is plausible."),
    }
    verdicts = {"recall": wrong_or_right(bad.passed, bad.parts),
                "false_alarm_rate": wrong_or_right(good.parts_stopped, good.parts)}
    shown = []
    for name, (label, meaning) in meanings.items():
        value = metrics[name]
        show = percent if name in ("recall", "false_alarm_rate") else fraction
        text = meaning(value) if value is not None else \
            f"Not available: {evaluation.undefined[name]}."
        shown.append(Figure(label, show(value), range_text(evaluation.intervals.get(name),
                                                           coverage, show), text,
                            verdicts.get(name, "")))
    return tuple(shown)


def _escapes(bad: Stopped) -> str:
    return "none escapes" if not bad.passed else \
        "1 escapes" if bad.passed == 1 else f"{bad.passed} escape"


def wrong_or_right(mistakes: int, among: int) -> str:
    """The colour of a count: never that of a right one where a single thing went wrong."""
    return "" if not among else "wrong" if mistakes else "right"


def range_text(interval: Interval | None, coverage: float,
               show: Callable[[float | None], str]) -> str:
    """'95 % interval 0.93 to 0.99'; nothing where there is none or it has no width."""
    if interval is None or interval.low is None or interval.low == interval.high:
        return ""
    return f"{coverage * 100:g} % interval {show(interval.low)} to {show(interval.high)}"


def verdict(evaluation: Evaluation, facts: ThresholdFacts,
            ) -> tuple[Literal["good", "warn", "neutral"], str]:
    """What the detector does at its threshold, and whether that is what was asked for."""
    bad, good = evaluation.detection.defects, evaluation.detection.good
    parts = []
    if bad.parts:
        parts.append(f"stops {bad.counts('defective parts')}")
    if good.parts:
        parts.append(f"raises {good.parts_stopped} false "
                     f"{'alarm' if good.parts_stopped == 1 else 'alarms'} on "
                     f"{good.parts} good parts ({good.rate()}; "
                     f"{percent(facts.false_alarm_rate)} was "
                     f"{'expected' if facts.costs else 'asked for'})")
    text = f"At the calibrated threshold {evaluation.threshold:.4g} the detector " \
           f"{' and '.join(parts)}."
    if unsure := evaluation.detection.undecidable.parts_stopped:
        text += f" {unsure} of the stopped parts are undecidable."
    worst = evaluation.detection.worst
    if worst is not None and worst.passed and len(evaluation.detection.types) > 1:
        text += f" The worst type of defect is {worst.kind}: {worst.counts()} stopped."
    if too_many_alarms(evaluation, facts):
        return "warn", text + (" So many false alarms are more than chance explains: the good "
                               "test images differ from those that the threshold was set on.")
    if not bad.parts:
        return "neutral", text + (" There are no defective test images, so this says nothing about "
                                  "how many defects it finds.")
    if bad.passed > bad.parts_stopped:
        return "warn", text + " More defective parts escape than are stopped."
    return ("neutral" if bad.passed else "good"), text


def too_many_alarms(evaluation: Evaluation, facts: ThresholdFacts) -> bool:
    """Whether so many false alarms would be rare if test and calibration images were alike.

    This counts that the threshold itself is uncertain (`false_alarms_by_chance`). The
    interval by part must lie above the rate as well.
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
