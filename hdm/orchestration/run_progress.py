"""How far a run of a line is: shown by who starts it, read by whoever wants to know.

data/<line>/.work/progress.json is written by the run's present stage (hdm.stages.stage_progress)
and is gone when the run has ended. A run that was killed leaves it behind, so that whether a run is
under way is asked of the operating system.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from hdm.config import STAGES
from hdm.errors import HDMError
from hdm.files import read_json
from hdm.line import Line
from hdm.stages.stage_progress import RUN, own_run, tell_progress


class RunProgress(NamedTuple):
    """A run that is under way.

    stage: its present one, '' before the first that has to run. stage_number: 1 to `of`, 0 before.
    done, total: of the stage's present bar, both 0 where it has none. started: when the stage
    began, UTC seconds since 1970. seconds_left: until the run ends, if all takes as long as last
    time; None where that is not known. pid: of `hdm run`, of the flow, or of the stage itself.
    """

    stage: str
    stage_number: int
    of: int
    done: int
    total: int
    started: float
    seconds_left: float | None
    pid: int


def read_progress(line: Line) -> RunProgress | None:
    """The run of the line that is under way on this machine; None if there is none.

    Any process may ask, at any time and as often as it likes: it reads one small file and asks for
    one process. Raises nothing: a file that is damaged or half there tells of no run.
    """
    with suppress(HDMError, OSError, AttributeError, KeyError, TypeError, ValueError):
        told = read_json(line.progress_file)
        if not is_alive(int(told["pid"]), float(told["start"])):
            return None
        left = told["seconds_left"]
        if left is not None:
            left = max(0.0, float(left) - (time.time() - float(told["told"])))
        return RunProgress(
            str(told["stage"]), int(told["stage_number"]), int(told["of"]), int(told["done"]),
            int(told["total"]), float(told["started"]), left, int(told["pid"]))
    return None


@contextmanager
def run_shown(line: Line) -> Iterator[None]:
    """Inside, the stages that are started for the line count as one run, that of this process."""
    run, now = own_run(), time.time()
    os.environ[RUN] = json.dumps(run)
    tell_progress(line, {"stage": "", "stage_number": 0, "of": len(STAGES), "done": 0, "total": 0,
                         "started": now, "seconds_left": None, "told": now, **run})
    try:
        yield
    finally:
        with suppress(OSError):
            line.progress_file.unlink(missing_ok=True)


def is_alive(number: int, start: float) -> bool:
    """Whether the process is still that one; a number is used again, a start, in seconds since
    1970, is not. One that has ended and waits to be buried is none."""
    import psutil

    try:
        process = psutil.Process(number)
        return process.create_time() == start and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
