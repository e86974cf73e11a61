"""Processes in which files from outside are read: one that is ended takes nothing else along.

They start with the first file, from a server of forks that has imported the decoders and little
else: another worker costs little, and no lock or thread of this process comes along.
"""

import multiprocessing
import os
import resource
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from io import BufferedRandom
from multiprocessing import forkserver
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pebble import ProcessExpired, ProcessPool

from hdm.dataset.allowance import limited
from hdm.dataset.decoding_limits import WORKERS, DecodingLimits
from hdm.dataset.images import UnreadableImage
from hdm.errors import HDMError

PATIENCE = 240.0
"""Seconds within which a first worker starts, also beside much other work."""
LARGE = 2**16
"""Bytes beyond which pixels are handed over in memory of both processes: a pipe is slow, and a
worker that is killed while it writes to one blocks all."""

_pool: ProcessPool | None = None
_workers = WORKERS
_lock = threading.Lock()


class _Pixels(NamedTuple):
    """What lies in the shared memory of a task."""

    shape: tuple[int, ...]
    kind: str


class _Content(NamedTuple):
    """Bytes of a file that lie in shared memory."""

    place: str


class Task:
    """Work on one file, under way in a worker. `future`: done when the worker is done with it; to
    cancel it ends the worker."""

    def __init__(self, name: str, limits: DecodingLimits, work: Callable[..., Any],
                 *arguments: Any) -> None:
        self.name = name
        self._limits, self._pixels = limits, _shared()
        self._contents: list[BufferedRandom] = []
        given = [self._given(argument) for argument in arguments]
        self.future: Future[Any] = _schedule(
            _in_worker, (limits, _place(self._pixels), _here(), work, given), limits.longest)

    def _given(self, argument: Any) -> Any:
        if not isinstance(argument, bytes) or len(argument) <= LARGE:
            return argument
        content = _shared()
        content.write(argument)
        content.flush()
        self._contents.append(content)
        return _Content(_place(content))

    def result(self) -> Any:
        """What the work returned; raises what it raised, and UnreadableImage where the worker was
        ended or died."""
        try:
            found = self.future.result()
        except ProcessExpired as died:
            raise UnreadableImage(self.name, _why(died.exitcode)) from None
        except TimeoutError:
            raise UnreadableImage(self.name, "an image that is not read within "
                                  f"{self._limits.longest:g} s") from None
        except BrokenProcessPool:
            raise UnreadableImage(self.name, "an image whose decoder was ended") from None
        if not isinstance(found, _Pixels):
            return found
        pixels: NDArray[Any] = np.empty(found.shape, found.kind)
        self._pixels.seek(0)
        self._pixels.readinto(_bytes_of(pixels))
        return pixels


def one_of_many() -> None:
    """Decode in one process alone from now on, as others like this one share the cores."""
    global _workers
    _workers = 1


def at_once() -> int:
    """How many files are decoded side by side."""
    return _workers


def start() -> None:
    """Let the workers start beside what follows, so that the first file waits for less. A process
    that ends meanwhile waits for them: workers that are ended while they start say so at length."""
    def begin() -> None:
        with suppress(HDMError):  # told with the first file
            _schedule(_alive, (), None)

    threading.Thread(target=begin).start()


def _in_worker(limits: DecodingLimits, place: str, here: str, work: Callable[..., Any],
               given: list[Any]) -> Any:
    """Runs there. here: the folder that paths start from. Only what is small goes back through the
    pipe."""
    if here:
        os.chdir(here)
    arguments = [Path(argument.place).read_bytes() if isinstance(argument, _Content) else argument
                 for argument in given]
    with limited(limits):
        found = work(*arguments)
    if not isinstance(found, np.ndarray) or found.nbytes <= LARGE:
        return found
    with Path(place).open("r+b") as memory:
        memory.write(_bytes_of(np.ascontiguousarray(found)))
    return _Pixels(found.shape, found.dtype.str)


def _schedule(work: Callable[..., Any], arguments: tuple[Any, ...], timeout: float | None,
              ) -> "Future[Any]":
    global _pool
    with _lock:
        if _pool is None or not _pool.active:
            _pool = _new_pool()
        return _pool.schedule(work, args=arguments, timeout=timeout)


def _new_pool() -> ProcessPool:
    context = multiprocessing.get_context("forkserver")
    # What takes long to import, and this very package.
    context.set_forkserver_preload(["numpy", "cv2", "PIL.Image", "tifffile", __name__,
                                    "hdm.dataset.images", "hdm.dataset.tiff_pages"])
    with _found_here():
        forkserver.ensure_running()
    pool = ProcessPool(_workers, context=context, initializer=_initialize)
    # Before this process waits for its children, also where it is another's child itself.
    end = Finalize(None, _end, (pool,), exitpriority=100)
    try:
        pool.schedule(_alive).result(PATIENCE)
    except (TimeoutError, OSError, BrokenProcessPool) as error:
        end()  # else they would be started again for ever
        raise HDMError("the processes in which pictures are decoded do not start "
                       f"({type(error).__name__}); look whether this machine lets processes start, "
                       "and whether memory is left.") from None
    return pool


@contextmanager
def _found_here() -> Iterator[None]:
    """A Python that starts meanwhile finds this package where this process did: not in the folder
    in which it starts, which may be a project with another version, nor by what `sys.path` became
    since, as MLflow puts the code of each model that it loads in front."""
    wanted = {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(
        filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]))}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _alive() -> None:
    """What a new worker does first."""


def _end(pool: ProcessPool) -> None:
    pool.stop()
    pool.join()


def _initialize() -> None:
    """In a new worker: a signal ends it in the middle of a decoder, and leaves no core file."""
    for each in (signal.SIGTERM, signal.SIGPROF):
        signal.signal(each, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _here() -> str:
    """The folder of this process; "" where it is gone."""
    try:
        return str(Path.cwd())
    except OSError:
        return ""


def _shared() -> BufferedRandom:
    """Memory that a process of the same user may open by its place; gone when it is closed."""
    return os.fdopen(os.memfd_create("hdm"), "w+b")


def _place(memory: BufferedRandom) -> str:
    return f"/proc/{os.getpid()}/fd/{memory.fileno()}"


def _bytes_of(pixels: NDArray[Any]) -> memoryview:
    return pixels.reshape(-1).view(np.uint8).data


def _why(exit_code: int) -> str:
    """What a file is whose worker ended so."""
    if exit_code == -signal.SIGPROF:
        return "an image that takes longer to decode than its size justifies"
    if exit_code == -signal.SIGKILL:
        return "an image whose decoder was killed, as if memory ran out"
    return f"a damaged image that ends its decoder (exit code {exit_code})"
