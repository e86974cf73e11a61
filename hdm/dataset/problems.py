"""Findings about many files, told in one sentence."""

from collections.abc import Sequence

SHOWN = 5


def listing(items: Sequence[str], shown: int = SHOWN) -> str:
    """The first `shown` items, and how many more there are."""
    more = f" and {len(items) - shown} more" if len(items) > shown else ""
    return ", ".join(items[:shown]) + more


def printable(name: str) -> str:
    """`name` with undecodable bytes escaped, so that it can be shown and logged."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
