"""DVC as a child process that takes its own children with it when it is stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

GRACE = 10.0
"""Seconds that a stopped stage has to remove its temporary files."""


def dvc(*arguments: str) -> list[str]:
    """A DVC command; it waits for another DVC's lock instead of giving up after 3 seconds."""
    return ["dvc", "--wait-for-lock", *arguments]


def environment() -> dict[str, str]:
    """Ours, with this interpreter's programs first, so that DVC finds the same `python`."""
    programs = str(Path(sys.executable).parent)
    path = os.pathsep.join([programs, os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1"}


@contextmanager
def running(command: Sequence[str], folder: Path, *,
            capture: bool = False) -> Iterator[subprocess.Popen[str]]:
    """Run `command` in `folder`; leaving the block by an exception stops all that it started.

    With `capture` its output, both streams in their order, is read from `.stdout`. DVC leaves its
    stage running when it is killed, so the command gets a session of its own and all of that is
    stopped: SIGTERM first, SIGKILL after GRACE seconds.
    """
    process = subprocess.Popen(
        list(command), cwd=folder, env=environment(), text=True, errors="replace",
        stdin=subprocess.DEVNULL, start_new_session=True,
        stdout=subprocess.PIPE if capture else None,
        stderr=subprocess.STDOUT if capture else None)
    try:
        yield process
    except BaseException:
        stop(process)
        raise
    finally:
        if process.stdout:
            process.stdout.close()


def lines(process: subprocess.Popen[str]) -> Iterator[str]:
    """What a captured process prints, line by line, without the empty ones."""
    assert process.stdout is not None, "started without capture"
    for line in process.stdout:
        if line.strip():
            yield line.rstrip()


def stop(process: subprocess.Popen[str]) -> None:
    """End the process and everything in its session."""
    deadline = time.monotonic() + GRACE
    alive = _signal(process.pid, signal.SIGTERM)
    # DVC may be gone before its stage is, so it is the group that is waited for.
    while alive and time.monotonic() < deadline:
        process.poll()
        time.sleep(0.05)
        alive = _signal(process.pid, 0)
    _signal(process.pid, signal.SIGKILL)
    process.wait()


def _signal(group: int, number: int) -> bool:
    """Send a signal; False if nobody of the group is left."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
