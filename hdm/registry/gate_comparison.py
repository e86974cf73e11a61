"""Checks of the gate beside the champion: worse, better or equal, by bounds of the difference."""

from collections.abc import Iterator

from hdm.evaluation.paired import Difference
from hdm.registry.gate_reason import ROUNDING, TITLES, Reason
from hdm.settings import Register

WORSE, BETTER, MAYBE, EQUAL = "worse_than", "better_than", "maybe_worse_than", "equal_to"


def compared(found: tuple[Difference, ...], settings: Register, *, newer_data: bool
             ) -> Iterator[Reason]:
    """A reason for each metric, for each defect type that lost, and what follows where nothing is
    better: hold, or `promote_equal`."""
    overall = [this for this in found if not this.defect_type]
    verdicts = {this.metric: verdict(this, settings.tolerance) for this in overall}
    for this in overall:
        yield Reason(f"{this.metric}_{verdicts[this.metric]}_champion",
                     _sentence(this, verdicts[this.metric], settings), *_figures(
                         this, verdicts[this.metric], settings.tolerance))
    for this in found:
        said = verdict(this, settings.type_tolerance)
        if this.defect_type and said in (WORSE, MAYBE):
            yield Reason(f"defect_type_{said}_champion", _type_sentence(this, said, settings),
                         *_figures(this, said, settings.type_tolerance))
    if not overall or BETTER in verdicts.values():
        return
    if not settings.promote_equal:
        yield Reason("no_better_than_champion", "Nothing shows that it is better than the "
                     "champion, which stays; `hdm promote` overrules this.")
    elif newer_data:
        yield Reason("equal_on_newer_data", "Nothing shows that it is better or worse than the "
                     "champion, and it was trained on newer images; the line promotes that "
                     "(register.promote_equal).")
    else:
        yield Reason("equal_on_the_same_data", "Nothing shows that it is better than the champion, "
                     "and it was not trained on newer images; the champion stays; `hdm promote` "
                     "overrules this.")


def verdict(this: Difference, tolerance: float) -> str:
    """Worse only if the upper bound is below -tolerance, better only if the lower one is above 0;
    between them the estimate alone may be a loss, which is a doubt and no proof."""
    if this.high < -tolerance - ROUNDING:
        return WORSE
    if this.low > ROUNDING:
        return BETTER
    return MAYBE if this.difference < -tolerance - ROUNDING else EQUAL


def _figures(this: Difference, said: str, tolerance: float) -> tuple[float, float]:
    """What was compared with what."""
    if said == MAYBE:
        return this.difference, -tolerance
    return (this.low, 0.0) if said == BETTER else (this.high, -tolerance)


SAID = {WORSE: "worse by more than the tolerance of {0:.4f}", BETTER: "better",
        MAYBE: "a loss beyond the tolerance of {0:.4f} that is not proven",
        EQUAL: "no difference is proven"}


def _sentence(this: Difference, said: str, settings: Register) -> str:
    return (f"The {TITLES[this.metric]} is {this.ours:.4f}, the champion's {this.theirs:.4f} on "
            f"the same test images: {_range(this, settings)}: "
            f"{SAID[said].format(settings.tolerance)}.")


def _type_sentence(this: Difference, said: str, settings: Register) -> str:
    return (f"On defects of type {this.defect_type} ({this.parts} parts) the image AUROC falls "
            f"from {this.theirs:.4f} to {this.ours:.4f}: {_range(this, settings)}: "
            f"{SAID[said].format(settings.type_tolerance)}.")


def _range(this: Difference, settings: Register) -> str:
    return (f"{this.difference:+.4f} in favour, at {settings.confidence:.0%} confidence between "
            f"{this.low:+.4f} and {this.high:+.4f}")
