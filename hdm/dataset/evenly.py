"""Some of many, evenly spread: what keeps memory from growing with a line."""


def evenly(count: int, most: int) -> range:
    """Every n-th of `count` numbers, so that at most `most` are taken; all, if they are as few."""
    return range(0, count, max(1, -(-count // most)))
