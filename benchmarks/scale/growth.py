"""How cost grows with the number of pictures."""

import math
from collections.abc import Mapping
from itertools import pairwise


def exponents(cost: Mapping[int, float]) -> dict[int, float]:
    """Number of pictures -> the power of it with which `cost` grew since the number before, what
    the smallest number costs taken off: it is mostly starting. The two smallest have none."""
    numbers = sorted(cost)
    found = {}
    for before, after in pairwise(numbers[1:]):
        less, more = cost[before] - cost[numbers[0]], cost[after] - cost[numbers[0]]
        if less > 0 and more > 0:
            found[after] = math.log(more / less) / math.log(after / before)
    return found


def a_picture(cost: Mapping[int, float]) -> float | None:
    """What another picture costs, between the two largest numbers; None of one number."""
    if len(cost) < 2:
        return None
    before, after = sorted(cost)[-2:]
    return (cost[after] - cost[before]) / (after - before)
