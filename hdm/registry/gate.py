"""May this model become champion? A pure function from evidence to a record with reasons."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from hdm.evaluation.detection import Detection
from hdm.evaluation.paired import Difference
from hdm.registry.gate_comparison import BETTER, MAYBE, WORSE, compared
from hdm.registry.gate_minimums import operating_minimums, ranking_minimums
from hdm.registry.gate_reason import TITLES, Metrics, Reason
from hdm.settings import Register

PARITY = 1e-3
"""Largest difference of scores that another number of threads, or another device, may make."""


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
    detection: what is stopped at the operating point, None where that is not known.
    newer_data: whether it was trained on images that the champion was not.
    packaged: None where nothing is registered.
    """

    metrics: Metrics
    champion: Literal["none", "identical", "unmeasured", "measured"] = "none"
    differences: tuple[Difference, ...] = ()
    packaged: Packaged | None = None
    detection: Detection | None = None
    newer_data: bool = False


@dataclass(frozen=True)
class Decision:
    """promote: it becomes champion. refuse: a check failed. hold: a person must decide."""

    outcome: Literal["promote", "refuse", "hold"]
    reasons: tuple[Reason, ...]

    @property
    def deciding(self) -> tuple[Reason, ...]:
        """The reasons that the outcome follows from; all of them where none stands out."""
        codes = {"refuse": REFUSING, "hold": HOLDING, "promote": PROMOTING}[self.outcome]
        return tuple(reason for reason in self.reasons if reason.code in codes) or self.reasons

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form, as it is stored on the model version."""
        return {"outcome": self.outcome, "reasons": [r._asdict() for r in self.reasons]}


def gate(evidence: GateEvidence, settings: Register) -> Decision:
    """Decide, and leave a reason for every check, also for those that hold.

    A failed check refuses. A challenger is promoted if the lower bound of at least one difference
    to the champion is above 0 and no other difference looks like a loss; one that is not told from
    the champion is held, or promoted where the line says so and its data are newer. A line
    without any champion gets its first one even where its quality is unproven: a plant with good
    parts only needs a model more than it needs a number.
    """
    reasons = [*ranking_minimums(evidence.metrics, settings, first=evidence.champion == "none"),
               *(operating_minimums(evidence.detection, settings) if evidence.detection else ()),
               *_packaging(evidence.packaged, settings)]
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
        reasons += compared(evidence.differences, settings, newer_data=evidence.newer_data)
    decision = Decision(_outcome({reason.code for reason in reasons}), tuple(reasons))
    if decision.outcome == "promote" and settings.approval and evidence.champion != "none":
        waiting = Reason("needs_approval", "It passed; a person must approve it: `hdm promote`.")
        return Decision("hold", (*reasons, waiting))
    return decision


REFUSING = {f"{metric}_{WORSE}_champion" for metric in (*TITLES, "defect_type")} | {
    "image_auroc_below_minimum", "pixel_auroc_below_minimum", "recall_below_minimum",
    "false_alarms_above_maximum", "packaged_model_disagrees", "too_slow"}
HOLDING = {f"{metric}_{MAYBE}_champion" for metric in (*TITLES, "defect_type")} | {
    "recall_maybe_below_minimum", "false_alarms_maybe_above_maximum", "quality_unproven",
    "champion_not_measured", "identical_to_champion", "no_better_than_champion",
    "equal_on_the_same_data", "needs_approval"}
PROMOTING = {f"{metric}_{BETTER}_champion" for metric in TITLES} | {
    "no_champion", "equal_on_newer_data"}


def _outcome(codes: set[str]) -> Literal["promote", "refuse", "hold"]:
    if codes & REFUSING:
        return "refuse"
    return "hold" if codes & HOLDING else "promote"


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
