"""Work on many items: here, or in parts on the workers of a cluster; the results are the same."""

from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any, TypeVar

Given = TypeVar("Given")
Item = TypeVar("Item")
Result = TypeVar("Result")

HERE = "local"
"""What `compute.cluster` says where there is no cluster."""
PART = 64
"""Items that a worker is handed at once, whatever their number and that of workers."""


def spread(work: Callable[[Given, Iterable[Item]], Iterable[Result]], given: Given,
           items: Iterable[Item], cluster: str, *, part: int = PART,
           file_of: Callable[[Item], Path] | None = None
           ) -> Generator[Result, None, None]:
    """The results of `work(given, items)`, one an item and in order, bounded in memory.

    cluster: HERE, or the address of a scheduler. There each `part` of items is another call, so
    that a result must not depend on which others it is computed with; `given` is sent once. All
    that goes and comes is pickled. file_of: the file of an item, which a worker must see, too.

    Raises what `work` raises, and ConfigError or HDMError where the cluster cannot do it.
    """
    if cluster == HERE:
        yield from work(given, items)
        return
    # Late: importing Dask takes long, and only those who have a cluster need it.
    from hdm.cluster.dask_cluster import over_cluster

    yield from over_cluster(work, given, items, cluster, part, file_of or _nowhere)


def _nowhere(item: Any) -> None:
    """An item that is no file."""
