"""Progress bars for everything that takes more than two seconds."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

Report = Callable[..., None]
"""(done, total, note="") -> None"""
PAUSE = 0.1
"""Seconds between two changes of a bar, but for its end: a million pictures are no million."""


class Overall(NamedTuple):
    """How far the whole is that a bar is part of. label: what is going on. share: of all that is to
    be done, 0 to 1, None if that is not known. left: the time left as text, or ''."""

    label: str
    share: float | None
    left: str


class Whole(Protocol):
    """What a bar is part of: a run of several stages."""

    def tell(self, done: int, total: int) -> Overall:
        """Take in how far the present bar is, and say how far the whole is."""


_wholes: list[Whole] = []


@contextmanager
def part_of(whole: Whole) -> Iterator[None]:
    """Inside, bars are shown below one of the whole, and tell it how far they are."""
    _wholes.append(whole)
    try:
        yield
    finally:
        _wholes.remove(whole)


@contextmanager
def progress_bar(console: Console, label: str, *, after: float = 0.0) -> Iterator[Report]:
    """Yield a function (done, total) that moves one bar called `label`.

    after: seconds before the bar appears, for work that is mostly done at once. In a file or a pipe
    there are no bars.
    """
    progress = Progress(TextColumn("{task.description}"), BarColumn(),
                        TextColumn("{task.fields[count]}", style="progress.download"),
                        TextColumn("{task.fields[left]}", style="progress.remaining"),
                        TextColumn("{task.fields[note]}"),
                        console=console, transient=after > 0, disable=not console.is_terminal)
    whole = _wholes[-1] if _wholes else None
    above = progress.add_task("", total=None, count="", left="", note="") if whole else None
    task = progress.add_task(label, total=None, count="", left="", note="")
    began, told_at = time.monotonic(), -PAUSE

    def report(done: int, total: int, note: str = "") -> None:
        nonlocal told_at
        now = time.monotonic()
        if done < total and now - told_at < PAUSE:
            return
        told_at = now if total else told_at
        if not progress.live.is_started and now - began > after:
            progress.start()
        progress.update(task, completed=done, total=total, note=note, count=f"{done}/{total}")
        progress.update(task, left=clock(progress.tasks[-1].time_remaining))
        if whole and above is not None:
            told = whole.tell(done, total)
            progress.update(above, description=told.label, left=told.left,
                            completed=told.share or 0, total=None if told.share is None else 1)

    try:
        if whole:
            report(0, 0)
        if not after:
            progress.start()
        yield report
    finally:
        if progress.live.is_started:
            progress.stop()


def clock(seconds: float | None) -> str:
    """A time left as in 0:01:05; '' where it is not known."""
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def spoken(seconds: float) -> str:
    """A time for people: 40 s, 2 min, 1 h 10 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
