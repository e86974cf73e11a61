"""Work spread over a Dask cluster: parts in flight, in order, done again where a worker dies."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

from hdm.cluster.same_code import NO_CHILDREN, objection, versions
from hdm.dataset import decoding_pool
from hdm.errors import ConfigError, HDMError

try:
    import dask
    from distributed import Client, Future, KilledWorker, get_worker
    from distributed.comm.core import CommClosedError
except ImportError:
    raise ConfigError("compute.cluster names a Dask cluster, and Dask is not installed; install "
                      "it with `pip install 'hdm[cluster]'`, or set compute.cluster to "
                      "local.") from None

PATIENCE = 30.0
"""Seconds within which a scheduler answers, and for which a cluster may be without workers."""
AHEAD = 3
"""Parts a thread of a worker that are begun or done before the first of them is asked for."""
RETRIES = 2
"""How often a part is tried again that failed by no fault of what it works on."""
_LOOK = 2.0  # seconds between two looks whether there are workers
_QUIET = {"distributed.admin.large-graph-warning-threshold": "1GiB",
          "distributed.comm.retry.count": 0}


class _Sealed:
    """What Dask must neither look into nor hash."""

    def __init__(self, content: Any) -> None:
        self.content = content


def over_cluster(work: Callable[[Any, Iterable[Any]], Iterable[Any]], given: Any,
                 items: Iterable[Any], address: str, part: int,
                 file_of: Callable[[Any], Path | None]) -> Iterator[Any]:
    """As `spread`."""
    rest = iter(items)
    with dask.config.set(_QUIET), _connected(address) as client, _told(address):
        # A task, not data: where the worker that holds it dies it is made again.
        held = client.submit(_same, _Sealed(given), pure=False)
        waiting: deque[tuple[Future, list[Any]]] = deque()
        while True:
            ahead = AHEAD * max(1, sum(client.nthreads().values()))
            while len(waiting) < ahead and (some := list(islice(rest, part))):
                waiting.append((client.submit(
                    _part, work, held, _Sealed(some), versions(), _seen(file_of(some[0])),
                    pure=False, retries=RETRIES), some))
            if not waiting:
                return
            yield from _found(client, address, *waiting.popleft())


def _same(given: Any) -> Any:
    return given


def _seen(file: Path | None) -> Path | None:
    """A file that is there as seen from here; a worker that does not see it is elsewhere."""
    return file if file and file.exists() else None


def _part(work: Callable[[Any, Iterable[Any]], Iterable[Any]], given: _Sealed, some: _Sealed,
          expected: dict[str, str], file: Path | None) -> list[Any] | HDMError:
    """Runs on a worker. An error that trying again does not mend is returned, not raised."""
    if said := objection(expected, file):
        return _unfit(said)
    decoding_pool.one_of_many()
    try:
        return list(work(given.content, some.content))
    except HDMError as error:
        return error


def _unfit(said: str) -> ConfigError:
    return ConfigError(f"the worker {get_worker().address} {said}.")


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    """A client of a scheduler that has a worker."""
    try:
        # Results come from the workers themselves: all of them would be much for a scheduler.
        client = Client(address, timeout=PATIENCE, set_as_default=False, direct_to_workers=True)
    except (OSError, ValueError, RuntimeError) as error:  # also where its certificates are none
        raise ConfigError(f"expected a Dask scheduler at compute.cluster {address}, none answers "
                          f"({_first_line(error)}); start it with `dask scheduler`, or set "
                          "compute.cluster to local.") from error
    with client:
        _wait_for_workers(client, address)
        _check_there(client, address)
        yield client


def _wait_for_workers(client: Client, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise _no_workers(address) from None


def _no_workers(address: str) -> HDMError:
    return ConfigError(f"the Dask cluster {address} has had no worker for {PATIENCE:g} s; start "
                       f"one with `{NO_CHILDREN} dask worker {address} --nthreads 1`, or set "
                       "compute.cluster to local.")


def _check_there(client: Client, address: str) -> None:
    """Raises ConfigError where the scheduler or a worker has no hdm, or another one."""
    asked = {"the scheduler": client.run_on_scheduler, "a worker": client.run}
    for who, ask in asked.items():
        try:
            ask(versions)
        except Exception as error:
            raise ConfigError(f"{who} of the Dask cluster {address} cannot run HDM "
                              f"({_first_line(error)}); install there what is installed here, "
                              "and start it again.") from error


@contextmanager
def _told(address: str) -> Iterator[None]:
    """A scheduler that goes away is one sentence."""
    try:
        yield
    except (CancelledError, CommClosedError) as error:
        raise HDMError(f"the Dask cluster {address} went away while it worked "
                       f"({type(error).__name__}); start it, and run the same command "
                       "again.") from error


def _found(client: Client, address: str, future: Future, some: list[Any]) -> list[Any]:
    """The results of a part, when they are there."""
    since = time.monotonic()
    try:
        while not future.done():
            with suppress(TimeoutError):
                future.result(timeout=_LOOK)
            if client.nthreads():
                since = time.monotonic()
            elif time.monotonic() - since > PATIENCE:
                raise _no_workers(address)
        found: list[Any] | HDMError = future.result()
    except KilledWorker as killed:
        raise HDMError(
            f"{killed.allowed_failures + 1} workers of the Dask cluster {address} died over the "
            f"same {len(some)} of the work's items, from {some[0]} to {some[-1]}; look in their "
            "logs, for example whether memory ran out.") from None
    if isinstance(found, HDMError):
        raise found
    return found


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
