"""What a pixel of a sample's mask says."""

from torch import Tensor

UNCHANGED = 0
"""As in the good image."""
CHANGED = 1
"""Visibly changed: a defect."""
IGNORED = 2
"""Changed less than a good image's own noise: neither learned as a defect nor as normal."""
NOT_INSPECTED = 3
"""The line's ignore mask covers it: nothing is drawn there, and nothing is learned from it."""


def is_known(labels: Tensor) -> Tensor:
    """What is learned from, as a defect or as normal."""
    return labels <= CHANGED


def is_touched(labels: Tensor) -> Tensor:
    """What was changed, visibly or not."""
    return (labels == CHANGED) | (labels == IGNORED)
