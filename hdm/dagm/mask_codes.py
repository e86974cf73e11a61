"""What a pixel of a sample's mask says."""

UNCHANGED = 0
"""As in the good image."""
CHANGED = 1
"""Visibly changed: a defect."""
IGNORED = 2
"""Changed less than a good image's own noise: neither learned as a defect nor as normal."""
