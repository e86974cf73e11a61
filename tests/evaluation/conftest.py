"""Fixtures of this room: see small_split."""

from small_split import builder, settings, shared_split, split

__all__ = ["builder", "settings", "shared_split", "split"]
