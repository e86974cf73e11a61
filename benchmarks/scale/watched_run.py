"""One child process and all that it starts, watched while they run."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

EVERY = 0.1
"""Seconds between two looks; what a process uses after the last one is not seen."""
SOURCES = Path(__file__).parents[2]


class Watched(NamedTuple):
    """Seconds by the clock, processor time of all processes, the most memory (MiB) that the first
    process had at once, and the most that any other one had."""

    wall: float
    cpu: float
    memory: float
    others: float


def watched(command: Sequence[str], folder: Path, log: Path) -> Watched:
    """Run `command` in `folder`, output into `log`; raises CalledProcessError where it fails."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    seconds: dict[int, float] = {}
    peaks: dict[int, float] = {}
    begin = time.monotonic()
    with log.open("wb") as output, subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output) as child:
        first = psutil.Process(child.pid)
        while child.poll() is None:
            with suppress(psutil.Error):
                for process in (first, *first.children(recursive=True)):
                    _look(process, seconds, peaks)
            time.sleep(EVERY)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    others = [peak for process, peak in peaks.items() if process != child.pid]
    return Watched(time.monotonic() - begin, sum(seconds.values()), peaks.get(child.pid, 0.0),
                   max(others, default=0.0))


def _look(process: psutil.Process, seconds: dict[int, float], peaks: dict[int, float]) -> None:
    with suppress(psutil.Error, OSError, ValueError):
        times = process.cpu_times()
        seconds[process.pid] = times.user + times.system
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        high = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        if high:  # one that has ended holds none
            peaks[process.pid] = int(high[0].split()[1]) / 1024


def hdm_stage(name: str, line: str) -> list[str]:
    """The command that DVC runs of a stage."""
    return [sys.executable, "-m", "hdm", "stage", name, line]
