"""DVC as a child process that takes its own children with it when it is stopped."""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

GRACE = 10.0
"""Seconds that a stopped stage has to remove its temporary files."""
PATIENCE = 0.5
"""Seconds between two looks whether a process that prints nothing has ended."""
OWNER = "HDM_CHILD_OF"
"""In the environment of all that `running` starts for an owner."""
SHARED = "hdm.orchestration.shared_dvc"
_living: set[subprocess.Popen[str]] = set()


def dvc(*arguments: str) -> list[str]:
    """A DVC command; it waits for another DVC's lock instead of giving up after 3 seconds."""
    return ["dvc", "--wait-for-lock", *arguments]


def repro(line: str, *arguments: str) -> list[str]:
    """`dvc repro` for stages of the line, whose results are shared: see shared_dvc.py."""
    return [sys.executable, "-m", SHARED, line, "repro", *arguments]


def _is_dvc(command: Sequence[str]) -> bool:
    return SHARED in command[:3] or any(Path(word).name == "dvc" for word in command[:2])


def environment() -> dict[str, str]:
    """Ours, with this interpreter's programs first, so that DVC finds the same `python`."""
    programs = str(Path(sys.executable).parent)
    path = os.pathsep.join([programs, os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1"}


@contextmanager
def running(command: Sequence[str], folder: Path, *, capture: bool = False,
            owner: str = "") -> Iterator[subprocess.Popen[str]]:
    """Run `command` in `folder`; leaving the block by an exception stops all that it started.

    With `capture` its output, both streams in their order, is read from `.stdout`. DVC leaves its
    stage running when it is killed, so the command gets a session of its own and all of that is
    stopped: SIGTERM first, SIGKILL after GRACE seconds. `owner` is what `stop_left_over` asks for.
    """
    process = subprocess.Popen(
        list(command), cwd=folder, env={**environment(), **({OWNER: owner} if owner else {})},
        text=True, errors="replace", stdin=subprocess.DEVNULL, start_new_session=True,
        stdout=subprocess.PIPE if capture else None,
        stderr=subprocess.STDOUT if capture else None)
    _living.add(process)
    try:
        yield process
    except BaseException:
        stop(process)
        raise
    finally:
        _living.discard(process)
        if process.stdout:
            process.stdout.close()


@contextmanager
def limited(process: subprocess.Popen[str], seconds: float) -> Iterator[threading.Event]:
    """Stop the process and all that it started after so many seconds; the event is then set."""
    over = threading.Event()

    def end() -> None:
        over.set()
        stop(process)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield over
    finally:
        timer.cancel()


def stop_all() -> None:
    """Stop whatever `running` has under way in any thread of this process."""
    for process in tuple(_living):
        stop(process)


def stop_left_over(owner: str) -> int:
    """Stop what a killed process left running for `owner`; returns how many processes that were.

    The caller makes sure that no living process has children of that owner.
    """
    import psutil

    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # another user's, or just ended
            if process.environ().get(OWNER) == owner and process.pid != os.getpid():
                found.append(process)
    for process in found:
        with suppress(psutil.Error):
            # DVC ends of itself when its stage has: see `stop`.
            if not _is_dvc(process.cmdline()):
                process.terminate()
    for process in psutil.wait_procs(found, timeout=GRACE)[1]:
        with suppress(psutil.Error):
            process.kill()
    return len(found)


def lines(process: subprocess.Popen[str]) -> Iterator[str]:
    """What a captured process prints, line by line, without the empty ones.

    Ends with the process, also where something that it left running still holds its output open.
    """
    assert process.stdout is not None, "started without capture"
    pipe, rest = process.stdout.fileno(), b""
    while True:
        ended = process.poll() is not None
        if select.select([pipe], [], [], 0 if ended else PATIENCE)[0]:
            chunk = os.read(pipe, 65536)
            *whole, rest = (rest + chunk).split(b"\n")
            yield from _printed(whole)
            if chunk:
                continue
        elif not ended:
            continue
        yield from _printed([rest])
        return


def _printed(rows: Sequence[bytes]) -> Iterator[str]:
    """Each row as text, as a terminal ends up showing it: what was overwritten is left out."""
    texts = (row.decode(errors="replace").rstrip().rsplit("\r", 1)[-1] for row in rows)
    yield from (text.rstrip() for text in texts if text.strip())


def stop(process: subprocess.Popen[str]) -> None:
    """End the process and everything in its session.

    What runs under DVC is asked first: DVC then ends of itself. Killed while it writes dvc.lock, it
    would leave half a file.
    """
    deadline = time.monotonic() + GRACE
    if _is_dvc(process.args):  # type: ignore[arg-type]
        _stop_under(process, deadline)
    alive = _signal(process.pid, signal.SIGTERM)
    # DVC may be gone before its stage is, so it is the group that is waited for.
    while alive and time.monotonic() < deadline:
        process.poll()
        time.sleep(0.05)
        alive = _signal(process.pid, 0)
    _signal(process.pid, signal.SIGKILL)
    process.wait()


def _stop_under(process: subprocess.Popen[str], deadline: float) -> None:
    """Ask all children to end, later ones as well, until the process has ended or time is up."""
    import psutil

    asked: set[int] = set()
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(psutil.Error):
            for one in psutil.Process(process.pid).children(recursive=True):
                if one.pid not in asked:
                    asked.add(one.pid)
                    with suppress(psutil.Error):
                        one.terminate()
        time.sleep(0.05)


def _signal(group: int, number: int) -> bool:
    """Send a signal; False if nobody of the group is left."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
