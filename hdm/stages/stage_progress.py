"""How far a run of a line is, told while a stage runs: to a terminal, to a log, and in a file that
other processes read (see hdm.orchestration.run_progress).

How long a stage takes is how long it took last time. That is kept beside the resume points, outside
DVC's sight: times in an output would rerun everything behind it.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from rich.console import Console

from hdm.config import STAGES
from hdm.errors import HDMError
from hdm.files import parse_json, read_json, write_json
from hdm.line import Line
from hdm.progress import Overall, clock, part_of, spoken

SECONDS = "stage_seconds.json"
"""In the line's work folder: stage -> seconds that its last whole run took."""
EVERY = 0.5
"""Seconds between two writings of the file."""
RUN = "HDM_RUN"
"""In the environment of stages: process and start of the run that they are part of, as JSON."""


class StageProgress:
    """One stage while it runs; nothing of it ever fails a stage."""

    def __init__(self, line: Line, stage: str) -> None:
        self.line, self.stage, self.began = line, stage, time.time()
        self.number = STAGES.index(stage) + 1
        self.expected = expected_seconds(line)
        self._done = self._total = 0
        self._written = 0.0

    @property
    def title(self) -> str:
        """Which stage of how many."""
        return f"{self.line.name}: stage {self.number} of {len(STAGES)} {self.stage}"

    @property
    def left(self) -> float | None:
        """Seconds until the last stage is done, if the others take as long as last time; None
        where one was never timed, or this one takes longer than it did."""
        try:
            own, *later = (self.expected[stage] for stage in STAGES[self.number - 1:])
        except KeyError:
            return None
        own -= time.time() - self.began
        return own + sum(later) if own > 0 else None

    def tell(self, done: int, total: int) -> Overall:
        """Take in how far the stage's present bar is, and say how far the run is."""
        self._done, self._total = done, total
        if time.time() - self._written > EVERY:
            self.write()
        left = self.left
        whole = sum(self.expected.values())
        return Overall(self.title, None if left is None else max(0.0, 1 - left / whole),
                       f"about {spoken(left)} left" if left is not None else "")

    def write(self) -> None:
        """Write the file by renaming; what cannot be written is left out."""
        self._written = time.time()
        tell_progress(self.line, {
            "stage": self.stage, "stage_number": self.number, "of": len(STAGES),
            "done": self._done, "total": self._total, "started": self.began,
            "seconds_left": self.left, "told": self._written, **_run()})

    def finish(self) -> float:
        """The stage is done: keep how long it took; returns that."""
        took = time.time() - self.began
        with suppress(HDMError, OSError):
            write_json(self.line.work_folder(SECONDS),
                       {**self.expected, self.stage: round(took, 1)})
        return took


@contextmanager
def stage_progress(line: Line, stage: str, console: Console) -> Iterator[None]:
    """Tell how far the run is while the block runs `stage`; in a log one row when it is done."""
    shown = StageProgress(line, stage)
    shown.write()
    try:
        with part_of(shown):
            yield
        took = shown.finish()
    finally:
        if RUN not in os.environ:
            line.progress_file.unlink(missing_ok=True)
    if not console.is_terminal:
        left = sum(shown.expected.get(later, 0.0) for later in STAGES[shown.number:])
        known = all(later in shown.expected for later in STAGES[shown.number:])
        more = f", about {spoken(left)} left" if known and left else ""
        console.print(f"{shown.title} done in {clock(took)}{more}", markup=False, highlight=False,
                      soft_wrap=True)


def expected_seconds(line: Line) -> dict[str, float]:
    """Stage -> seconds that it took last time; those that are not known are left out."""
    with suppress(HDMError, OSError, UnicodeDecodeError, AttributeError):
        found = read_json(line.work_folder(SECONDS))
        return {stage: float(value) for stage, value in found.items()
                if stage in STAGES and isinstance(value, int | float)}
    return {}


def tell_progress(line: Line, content: dict[str, Any]) -> None:
    """Replace the line's progress file. It need not outlive a loss of power, so nothing waits for
    the disk; what cannot be written is left out."""
    file = line.progress_file
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(content), encoding="utf-8")
        temporary.replace(file)


def _run() -> dict[str, Any]:
    """Whose run the stage is part of: that of `hdm run` or of a flow, else its own."""
    with suppress(ValueError):
        found = parse_json(os.environ.get(RUN, ""))
        if isinstance(found, dict) and {"pid", "start"} <= set(found):
            return found
    return own_run()


def own_run() -> dict[str, Any]:
    """This process, by its number and the time it was started, as numbers are used again."""
    import psutil

    return {"pid": os.getpid(), "start": psutil.Process().create_time()}
