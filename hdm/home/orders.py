"""What a person orders on a page: a command, one a line at a time, in its own process.

Every button types a command, so that the page can do no more than the command line, and leaves the
same record. The process goes on when Home ends; its output is kept until the next order.
"""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock

from hdm.errors import ConfigError, HDMError
from hdm.files import cannot_write, read_json, write_json
from hdm.line import Line
from hdm.orchestration.child_process import environment
from hdm.orchestration.run_progress import is_alive

TAIL = 40
"""Rows of output that a page shows."""
_WATCHED: set[tuple[int, float]] = set()
"""Processes of this Home, (pid, born): each runs until its exit code is written, so that nobody
reads of an end without knowing how. Without those whose end could not be written."""


@dataclass(frozen=True)
class Order:
    """words: the command as typed, its program first. pid, born: of its process, and when that
    began by the system's count. started, ended: UTC seconds since 1970. code: exit code; None while
    it runs, and where Home was not there to see the end."""

    words: tuple[str, ...]
    who: str
    pid: int
    born: float
    started: float
    ended: float | None = None
    code: int | None = None

    @property
    def command(self) -> str:
        """As a shell takes it."""
        return shlex.join(self.words)

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self.ended is None and (
            (self.pid, self.born) in _WATCHED or is_alive(self.pid, self.born))

    @property
    def state(self) -> str:
        """running, done, failed, or ended where nobody knows how."""
        if self.running:
            return "running"
        return "ended" if self.code is None else "failed" if self.code else "done"

    @property
    def seconds(self) -> float | None:
        """How long it took or has taken; None where nobody knows."""
        if self.ended is None and not self.running:
            return None
        return (self.ended or time.time()) - self.started


def begin(line: Line, words: Sequence[str], who: str) -> Order:
    """Start a command of `hdm` or `prefect` in the line's project, said by `who`.

    Raises ConfigError while another one of the line runs, HDMError where it cannot be started.
    """
    folder = line.work_folder("home")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".order.lock"):
            before = last(line)
            if before and before.running:
                raise ConfigError(f"`{before.command}` of {before.who} is still at work; "
                                  "wait for its end, or stop it.")
            with _log_file(line).open("wb") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", *words], cwd=line.project,
                    env={**environment(), "HDM_ACTOR": who, "COLUMNS": "100", "NO_COLOR": "1",
                         "TERM": "dumb"},
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
            order = Order(tuple(words), who, process.pid,
                          psutil.Process(process.pid).create_time(), time.time())
            _WATCHED.add((order.pid, order.born))
            threading.Thread(target=_see_end, args=(line, order, process), daemon=True).start()
            write_json(_order_file(line), asdict(order))
    except OSError as error:
        raise cannot_write(folder, error) from error
    return order


def last(line: Line) -> Order | None:
    """The order that runs, or the last one; None if there was none."""
    try:
        content: dict[str, Any] = read_json(_order_file(line))
        return Order(**{**content, "words": tuple(content["words"])})
    except (HDMError, TypeError, KeyError):
        return None


def output(line: Line) -> list[str]:
    """The last rows that it printed."""
    rows = [row.rsplit("\r", 1)[-1].rstrip() for row in printed(line)[-65_536:].splitlines()]
    return [row for row in rows if row][-TAIL:]


def printed(line: Line) -> str:
    """All that it printed."""
    try:
        return _log_file(line).read_text("utf-8", "replace")
    except OSError:
        return ""


def stop(line: Line) -> None:
    """Ask the running order to end, as Ctrl-C does; what it has finished stays."""
    order = last(line)
    if order and order.running:
        with contextlib.suppress(ProcessLookupError):
            os.kill(order.pid, signal.SIGTERM)


def _see_end(line: Line, order: Order, process: subprocess.Popen[bytes]) -> None:
    code = process.wait()
    try:
        with FileLock(line.work_folder("home") / ".order.lock"):
            if last(line) == order:
                write_json(_order_file(line),
                           {**asdict(order), "ended": time.time(), "code": code})
    except (HDMError, OSError):
        _WATCHED.discard((order.pid, order.born))


def _order_file(line: Line) -> Path:
    return line.work_folder("home") / "order.json"


def _log_file(line: Line) -> Path:
    return line.work_folder("home") / "order.log"
