"""Work on many items by a few threads, in memory that does not grow with them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 16
"""Items a thread that are begun or done before the first of them is asked for."""


def in_threads(work: Callable[[Item], Result], items: Iterable[Item], threads: int, *,
               ahead: int = AHEAD, begin: Callable[[], None] | None = None) -> Iterator[Result]:
    """`work` on every item, in order; raises what `work` raises. Executor.map begins them all.

    ahead: items a thread, as AHEAD. begin: what each thread does first.
    """
    rest = iter(items)
    with ThreadPoolExecutor(threads, initializer=begin) as pool:
        waiting: deque[Future[Result]] = deque(
            pool.submit(work, item) for item in islice(rest, ahead * threads))
        try:
            while waiting:
                found = waiting.popleft().result()
                waiting.extend(pool.submit(work, item) for item in islice(rest, 1))
                yield found
        finally:
            for left in waiting:
                left.cancel()
