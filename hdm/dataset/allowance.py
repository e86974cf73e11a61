"""The time and memory that the decoding under way in this process may take.

In a worker process the kernel ends what takes more, in the middle of any decoder: a timer of
processor time whose signal nobody handles, and a limit of memory. In every other process there is
no such limit, and `claim` checks sizes alone.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hdm.dataset.decoding_limits import DecodingLimits
from hdm.dataset.not_read import NotRead, check_size

_STATM, _DATA = Path("/proc/self/statm"), 5  # pages of data and stack are its sixth number


class _Allowance:
    """pixels: the most that were claimed so far. start: bytes of data at its beginning."""

    def __init__(self, limits: DecodingLimits) -> None:
        self.limits, self.pixels, self.start = limits, 0, _data_bytes()
        signal.setitimer(signal.ITIMER_PROF, limits.seconds)
        self._limit_memory()

    def extend(self, pixels: int) -> None:
        """As much more as a picture of so many pixels justifies."""
        more = self.limits.seconds_for(pixels) - self.limits.seconds_for(self.pixels)
        if more > 0:
            self.pixels = pixels
            left = signal.getitimer(signal.ITIMER_PROF)[0]
            signal.setitimer(signal.ITIMER_PROF, left + more)
            self._limit_memory()

    def end(self) -> None:
        """No limit any more."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        _limit_data(None)

    def _limit_memory(self) -> None:
        if self.start:
            _limit_data(self.start + self.limits.memory_for(self.pixels))


_current: _Allowance | None = None


@contextmanager
def limited(limits: DecodingLimits) -> Iterator[None]:
    """Hold what is done within to `limits`; for a worker process, which may end by it."""
    global _current
    _current = allowance = _Allowance(limits)
    try:
        yield
    finally:
        _current = None
        allowance.end()


def claim(width: int, height: int) -> None:
    """A picture of that size is about to be decoded.

    Raises NotRead if it has more pixels than are allowed, ValueError if it has none.
    """
    check_size(width, height)
    if _current is None:
        return
    if width * height > _current.limits.pixels:
        raise NotRead(f"more than {_current.limits.pixels / 1e6:.3g} megapixels")
    _current.extend(width * height)


def _data_bytes() -> int:
    """Private memory of this process that it may write to; 0 where that is not told."""
    try:
        import resource

        return int(_STATM.read_text().split()[_DATA]) * resource.getpagesize()
    except (ImportError, OSError):
        return 0


def _limit_data(size: int | None) -> None:
    """So many bytes, None: as many as there are. Only Linux holds to it."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (hard if size is None else size, hard))
