"""Progress bars for everything that takes more than two seconds."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Report = Callable[..., None]
"""(done, total, note="") -> None"""


@contextmanager
def progress_bar(console: Console, label: str, *, after: float = 0.0) -> Iterator[Report]:
    """Yield a function (done, total) that moves one bar called `label`.

    after: seconds before the bar appears, for work that is mostly done at once.
    """
    progress = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
                        TimeRemainingColumn(), TextColumn("{task.fields[note]}"),
                        console=console, transient=after > 0)
    task, began = progress.add_task(label, total=None, note=""), time.monotonic()

    def report(done: int, total: int, note: str = "") -> None:
        if not progress.live.is_started and time.monotonic() - began > after:
            progress.start()
        progress.update(task, completed=done, total=total, note=note)

    try:
        if not after:
            progress.start()
        yield report
    finally:
        if progress.live.is_started:
            progress.stop()
