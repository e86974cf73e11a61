"""Fixtures of this room: see crafted_line."""

from crafted_line import craft, crafted

__all__ = ["craft", "crafted"]
