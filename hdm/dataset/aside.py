"""Files of a source that are not used: where they are written down, and which a person should see.
"""

from collections import defaultdict
from collections.abc import Mapping

from hdm.dataset.file_walk import HIDDEN
from hdm.dataset.problems import listing

LEFT_ASIDE = "left_aside.json"
"""Beside the manifest: path -> reason."""
_NO_IMAGE = "no image by its name"


def reason_of(by_name: str | None, layout: str) -> str:
    """Why a file that a layout does not mention is aside; `by_name` is what `left_aside` said."""
    if by_name is None:
        return f"an image that the layout {layout} has no place for"
    return by_name if by_name == HIDDEN else f"{by_name}: {_NO_IMAGE}"


def is_question(reason: str) -> bool:
    """Whether a person should look: an image was left aside, by no rule that they know."""
    return not reason.endswith((HIDDEN, _NO_IMAGE))


def told(aside: Mapping[str, str]) -> list[str]:
    """A sentence a reason: how many files, the first ones named."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for path, reason in aside.items():
        by_reason[reason].append(path)
    return [f"{len(paths)} file{'s' * (len(paths) > 1)} left aside, {reason}: {listing(paths)}."
            for reason, paths in by_reason.items()]
