"""May this model become champion? A pure function from evidence to a record with reasons."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from hdm.evaluation.paired import SAVING, Difference
from hdm.settings import Register

ROUNDING = 1e-9  # a tie in the last bit is a tie
PARITY = 1e-3
"""Largest difference of scores that another number of threads, or another device, may make."""
TITLES = {"image_auroc": "image AUROC", "pixel_auroc": "pixel AUROC",
          SAVING: "cost at the operating point"}
Metrics = Mapping[str, float | None]


class Reason(NamedTuple):
    """One check: a stable code, a sentence for people, and the two numbers it compared."""

    code: str
    sentence: str
    measured: float | None = None
    required: float | None = None


class Packaged(NamedTuple):
    """The registered model, in a process of its own, against the detector that was evaluated.

    images: how many both judged. largest: largest difference of their scores. disagreements:
    decisions that differ. latency_ms: median time an image, one at a time.
    """

    images: int
    largest: float
    disagreements: int
    latency_ms: float


@dataclass(frozen=True)
class GateEvidence:
    """What the gate decides on.

    metrics: `image_auroc` and `pixel_auroc` of the challenger as fractions, None where undefined.
    champion: whether the line has one, the same model, one that could not be measured, or one that
    was: then `differences` are the challenger's to it on the same test images.
    packaged: None where nothing is registered.
    """

    metrics: Metrics
    champion: Literal["none", "identical", "unmeasured", "measured"] = "none"
    differences: tuple[Difference, ...] = ()
    packaged: Packaged | None = None


@dataclass(frozen=True)
class Decision:
    """promote: it becomes champion. refuse: a check failed. hold: a person must decide."""

    outcome: Literal["promote", "refuse", "hold"]
    reasons: tuple[Reason, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form, as it is stored on the model version."""
        return {"outcome": self.outcome, "reasons": [r._asdict() for r in self.reasons]}


def gate(evidence: GateEvidence, settings: Register) -> Decision:
    """Decide, and leave a reason for every check, also for those that hold.

    A failed check refuses. A challenger is promoted if the lower bound of at least one difference
    to the champion is above 0 and none is below the tolerance; otherwise it is held. A line
    without any champion gets its first one even where its quality is unproven: a plant with good
    parts only needs a model more than it needs a number.
    """
    reasons = [*_minimums(evidence, settings), *_packaging(evidence.packaged, settings)]
    if evidence.champion == "none":
        reasons.append(Reason("no_champion", "The line has no champion to compare with."))
    elif evidence.champion == "identical":
        reasons.append(Reason("identical_to_champion", "It is the champion's model and operating "
                              "point once more; nothing would change."))
    elif evidence.champion == "unmeasured":
        reasons.append(Reason("champion_not_measured", "The champion could not be scored on these "
                              "test images; `hdm promote` makes this model champion if it is "
                              "wanted."))
    else:
        reasons += _comparison(evidence.differences, settings)
    decision = Decision(_outcome({reason.code for reason in reasons}), tuple(reasons))
    if decision.outcome == "promote" and settings.approval and evidence.champion != "none":
        waiting = Reason("needs_approval", "It passed; a person must approve it: `hdm promote`.")
        return Decision("hold", (*reasons, waiting))
    return decision


REFUSING = {f"{metric}_{verdict}" for metric in TITLES
            for verdict in ("below_minimum", "worse_than_champion")} | {
    "defect_type_worse_than_champion", "packaged_model_disagrees", "too_slow"}
HOLDING = {f"{metric}_maybe_worse_than_champion" for metric in TITLES} | {
    "quality_unproven", "champion_not_measured", "identical_to_champion",
    "no_better_than_champion"}


def _outcome(codes: set[str]) -> Literal["promote", "refuse", "hold"]:
    if codes & REFUSING:
        return "refuse"
    return "hold" if codes & HOLDING else "promote"


def _minimums(evidence: GateEvidence, settings: Register) -> Iterator[Reason]:
    for metric, required in (("image_auroc", settings.minimum_image_auroc),
                             ("pixel_auroc", settings.minimum_pixel_auroc)):
        measured, title = evidence.metrics.get(metric), TITLES[metric]
        if measured is None:
            yield _undefined(metric, required, evidence.champion == "none")
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


def _packaging(found: Packaged | None, settings: Register) -> Iterator[Reason]:
    if found is None:
        return
    agrees = found.largest <= PARITY and not found.disagreements
    yield Reason(
        "packaged_model_agrees" if agrees else "packaged_model_disagrees",
        f"On {found.images} test images the registered model's scores differ by at most "
        f"{found.largest:.2g} from those that were evaluated, and {found.disagreements} decisions "
        "differ.", found.largest, PARITY)
    limit = settings.latency_ms
    if limit is not None and found.latency_ms > limit:
        yield Reason("too_slow", f"The median image takes {found.latency_ms:.0f} ms, more than the "
                     f"{limit:g} ms allowed.", found.latency_ms, limit)
    else:
        yield Reason("latency_measured", f"The median image takes {found.latency_ms:.0f} ms.",
                     found.latency_ms, limit)


def _comparison(found: tuple[Difference, ...], settings: Register) -> Iterator[Reason]:
    """Worse beyond the tolerance, perhaps worse, better, or neither; then the defect types."""
    overall = [difference for difference in found if not difference.defect_type]
    better = False
    for this in overall:
        verdict = _verdict(this, settings.tolerance)
        better |= verdict == "better_than"
        yield Reason(
            f"{this.metric}_{verdict}_champion",
            f"The {TITLES[this.metric]} is {this.ours:.4f}, the champion's {this.theirs:.4f} on "
            f"the same test images: {this.difference:+.4f} in favour, at {settings.confidence:.0%} "
            f"confidence at least {this.low:+.4f} (tolerance {settings.tolerance:.4f}).",
            this.low, -settings.tolerance)
    worse = [this for this in found if this.defect_type
             and this.difference < -settings.type_tolerance - ROUNDING]
    for this in worse:
        yield Reason("defect_type_worse_than_champion",
                     f"On defects of type {this.defect_type} the image AUROC falls from "
                     f"{this.theirs:.4f} to {this.ours:.4f} (tolerance "
                     f"{settings.type_tolerance:.4f}).", this.difference, -settings.type_tolerance)
    if overall and not better:
        yield Reason("no_better_than_champion", "Nothing shows that it is better than the "
                     "champion, which stays; `hdm promote` overrules this.")


def _verdict(this: Difference, tolerance: float) -> str:
    if this.difference < -tolerance - ROUNDING:
        return "worse_than"
    if this.low > ROUNDING:
        return "better_than"
    return "maybe_worse_than" if this.low < -tolerance - ROUNDING else "not_worse_than"
