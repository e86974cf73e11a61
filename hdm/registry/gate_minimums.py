"""Checks of the gate that need no champion: least quality, and what happens at the threshold."""

from collections.abc import Iterator

from hdm.evaluation.detection import Detection, Stopped
from hdm.evaluation.percent import percent
from hdm.registry.gate_reason import ROUNDING, TITLES, Metrics, Reason
from hdm.settings import Register


def ranking_minimums(metrics: Metrics, settings: Register, *, first: bool) -> Iterator[Reason]:
    """Image and pixel AUROC; `first`: the line has no champion yet."""
    for metric, required in (("image_auroc", settings.minimum_image_auroc),
                             ("pixel_auroc", settings.minimum_pixel_auroc)):
        measured, title = metrics.get(metric), TITLES[metric]
        if measured is None:
            yield _undefined(metric, required, first)
        elif measured < required - ROUNDING:
            yield Reason(f"{metric}_below_minimum", f"The {title} of {measured:.4f} is below the "
                         f"required {required:.4f}.", measured, required)
        else:
            yield Reason(f"{metric}_meets_minimum", f"The {title} of {measured:.4f} reaches the "
                         f"required {required:.4f}.", measured, required)


def _undefined(metric: str, required: float, first: bool) -> Reason:
    if metric == "pixel_auroc":
        return Reason("no_pixel_auroc", "There is no pixel AUROC, as no test image has a defect "
                      "mask; its minimum was not applied.", None, required)
    what = "has no defective images, so the image AUROC is unknown"
    if first:
        return Reason("first_model_unproven", f"The test split {what}; the line's first model "
                      "becomes champion all the same, its quality is unproven.", None, required)
    return Reason("quality_unproven", f"The test split {what}; `hdm promote` makes this model "
                  "champion if it is wanted.", None, required)


def operating_minimums(found: Detection, settings: Register) -> Iterator[Reason]:
    """Recall and false alarms by part at the threshold, and the worst type of defect by name.

    An exact interval that lies on the wrong side as a whole is proof, and refuses; a count on the
    wrong side is a doubt, and holds. What the test images cannot tell is not judged.
    """
    recall, limit = found.defects.share, settings.minimum_recall
    if recall is not None:
        said = (f"{_stopped(found.defects, 'defective')} at the operating point, "
                f"{_interval(found.defects, found)}")
        if (found.defects.high or 0.0) < limit - ROUNDING:
            yield Reason("recall_below_minimum", f"{said}: less than the required "
                         f"{percent(limit)}.", recall, limit)
        elif recall < limit - ROUNDING:
            yield Reason("recall_maybe_below_minimum", f"{said}: fewer than the required "
                         f"{percent(limit)}, which the interval does not exclude; `hdm promote` "
                         "makes this model champion if it is wanted.", recall, limit)
        else:
            yield Reason("recall_meets_minimum", f"{said}: the required {percent(limit)} are "
                         "reached.", recall, limit)
    if found.worst is not None and found.worst.passed and len(found.types) > 1:
        yield Reason("worst_defect_type", f"The worst type of defect is {found.worst.kind}: "
                     f"{found.worst.counts()} stopped.", found.worst.share)
    alarms, most = found.good.share, settings.maximum_false_alarms
    if alarms is None:
        return
    said = (f"{_stopped(found.good, 'good')} at the operating point, "
            f"{_interval(found.good, found)}")
    if (found.good.low or 0.0) > most + ROUNDING:
        yield Reason("false_alarms_above_maximum", f"{said}: more than the {percent(most)} "
                     "allowed.", alarms, most)
    elif alarms > most + ROUNDING:
        yield Reason("false_alarms_maybe_above_maximum", f"{said}: more than the {percent(most)} "
                     "allowed, which the interval does not exclude; `hdm promote` makes this "
                     "model champion if it is wanted.", alarms, most)
    else:
        yield Reason("false_alarms_within_maximum", f"{said}: within the {percent(most)} allowed.",
                     alarms, most)


def _stopped(kind: Stopped, which: str) -> str:
    unsure = f", {kind.parts_undecidable} of them as undecidable" if kind.parts_undecidable else ""
    return f"{kind.counts(f'{which} parts')} are stopped ({kind.rate()}{unsure})"


def _interval(kind: Stopped, found: Detection) -> str:
    return f"{percent(found.coverage)} interval {kind.bounds()}"
