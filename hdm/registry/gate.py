"""May this model become champion? A pure function from numbers to a record with reasons."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from hdm.settings import Register

ROUNDING = 1e-9  # a tie in the last bit is a tie
Metrics = Mapping[str, float | None]


class Reason(NamedTuple):
    """One check: a stable code, a sentence for people, and the two numbers it compared."""

    code: str
    sentence: str
    measured: float | None = None
    required: float | None = None


@dataclass(frozen=True)
class Decision:
    """promote: it becomes champion. refuse: a check failed. hold: a person must decide."""

    outcome: Literal["promote", "refuse", "hold"]
    reasons: tuple[Reason, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form, as it is stored on the model version."""
        return {"outcome": self.outcome, "reasons": [r._asdict() for r in self.reasons]}


def gate(challenger: Metrics, champion: Metrics | None, settings: Register) -> Decision:
    """Decide on `challenger` from its metrics and the champion's on the same test images.

    Args:
        challenger: `image_auroc` and `pixel_auroc` as fractions; None where undefined.
        champion: the same of the present champion, None if the line has none, and without
            values if there is one that could not be measured.
        settings: minimum AUROCs and the tolerance.

    Every check leaves a reason, also those that hold. A failed check refuses; otherwise a missing
    proof holds, except that a line without any champion gets its first one with a warning code:
    a plant with good parts only needs a model more than it needs a number.
    """
    minimums = {"image": settings.minimum_image_auroc, "pixel": settings.minimum_pixel_auroc}
    reasons = [_minimum(scope, challenger.get(f"{scope}_auroc"), minimum, champion is None)
               for scope, minimum in minimums.items()]
    if champion is None:
        reasons.append(Reason("no_champion", "The line has no champion to compare with."))
    else:
        reasons += _comparison(challenger, champion, settings.tolerance)
    return Decision(_outcome({reason.code for reason in reasons}), tuple(reasons))


REFUSING = {"image_auroc_below_minimum", "pixel_auroc_below_minimum",
            "image_auroc_worse_than_champion", "pixel_auroc_worse_than_champion"}
HOLDING = {"quality_unproven", "champion_not_measured"}


def _outcome(codes: set[str]) -> Literal["promote", "refuse", "hold"]:
    if codes & REFUSING:
        return "refuse"
    return "hold" if codes & HOLDING else "promote"


def _minimum(scope: str, measured: float | None, required: float, first: bool) -> Reason:
    if measured is None and scope == "pixel":
        return Reason("no_pixel_auroc", "There is no pixel AUROC, as no test image has a defect "
                      "mask; its minimum was not applied.", None, required)
    if measured is None:
        what = "has no defective images, so the image AUROC is unknown"
        if first:
            return Reason("first_model_unproven", f"The test split {what}; the line's first model "
                          "becomes champion all the same, its quality is unproven.", None, required)
        return Reason("quality_unproven", f"The test split {what}; set the alias `champion` by "
                      "hand if this model is wanted.", None, required)
    if measured < required - ROUNDING:
        return Reason(f"{scope}_auroc_below_minimum", f"The {scope} AUROC of {measured:.4f} is "
                      f"below the required {required:.4f}.", measured, required)
    return Reason(f"{scope}_auroc_meets_minimum", f"The {scope} AUROC of {measured:.4f} reaches "
                  f"the required {required:.4f}.", measured, required)


def _comparison(challenger: Metrics, champion: Metrics, tolerance: float) -> list[Reason]:
    reasons = []
    for scope in ("image", "pixel"):
        ours, theirs = challenger.get(f"{scope}_auroc"), champion.get(f"{scope}_auroc")
        if ours is None or theirs is None:
            continue
        worse = ours < theirs - tolerance - ROUNDING
        code = f"{scope}_auroc_{'worse_than' if worse else 'not_worse_than'}_champion"
        verb = "falls short of" if worse else "holds against"
        reasons.append(Reason(code, f"The {scope} AUROC of {ours:.4f} {verb} the champion's "
                              f"{theirs:.4f} on the same test images (tolerance {tolerance:.4f}).",
                              ours, theirs - tolerance))
    known = challenger.get("image_auroc") is not None
    if known and champion.get("image_auroc") is None:
        reasons.append(Reason("champion_not_measured", "The champion could not be scored on these "
                              "test images; set the alias `champion` by hand if this model is "
                              "wanted."))
    return reasons
