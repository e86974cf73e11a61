"""Some of a line's many images, whatever order they come in: what keeps training from growing."""

import hashlib
from collections import Counter
from collections.abc import Sequence


def reservoir(groups: Sequence[str], most: int) -> Sequence[int]:
    """Numbers, in order, of at most `most` images; all of them, if they are as few.

    groups: the part that each image shows. Whole parts are drawn in order of a hash of their name,
    so that new parts take the place of few others; of a part with more than `most` images, the
    first ones.
    """
    if len(groups) <= most:
        return range(len(groups))
    sizes = Counter(groups)
    drawn: set[str] = set()
    room = most
    for group in sorted(sizes, key=_rank):
        if sizes[group] > room:
            break
        drawn.add(group)
        room -= sizes[group]
    if not drawn:
        first = min(sizes, key=_rank)
        return [number for number, group in enumerate(groups) if group == first][:most]
    return [number for number, group in enumerate(groups) if group in drawn]


def _rank(group: str) -> bytes:
    return hashlib.sha256(f"reservoir\0{group}".encode()).digest()
