"""Batches of pictures judged side by side, each by one thread: the answers are the same by any
number of them. Torch rounds otherwise where threads share one picture."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import torch

from hdm.dataset.windowed import in_threads

Batch = TypeVar("Batch")
Result = TypeVar("Result")

AHEAD = 2
"""Batches a thread that are judged or wait to be asked for."""


def side_by_side(judge: Callable[[Batch], Result], batches: Iterable[Batch], threads: int
                 ) -> Iterator[Result]:
    """`judge` of every batch, in order."""
    before = torch.get_num_threads()
    try:
        yield from in_threads(judge, batches, threads, ahead=AHEAD, begin=_alone)
    finally:
        torch.set_num_threads(before)  # one number in a process is for all of them


def _alone() -> None:
    torch.set_num_threads(1)
