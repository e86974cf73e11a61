"""Stages in processes that are quick to start: forked from one that has the libraries loaded.

A test may kill such a process at any moment, as a reboot would, or let its disk be full.
"""

import errno
import multiprocessing
import os
import signal
import time
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from plant import LINE

from hdm.dataset import decoding_pool

LIBRARIES = ["torch", "hdm.cli", "hdm.detector.detector", "hdm.registry.tracking",
             "hdm.report.page", "hdm.evaluation.evaluation", "hdm.report.gallery",
             "hdm.dagm.bank", "hdm.dagm.sample_sheet", "hdm.stages.ingest", "hdm.stages.validate",
             "hdm.stages.dagm_fit", "hdm.stages.dagm_synthesize", "hdm.stages.pom_filter",
             "hdm.stages.ddm_train", "hdm.stages.evaluate", "hdm.stages.register"]


def fork_server(project: Path) -> ForkServerContext:
    """A process that has imported LIBRARIES from `project`; its children start in milliseconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LIBRARIES)
    before, paths = Path.cwd(), os.environ.get("PYTHONPATH")
    try:
        # It looks for modules where it is started, and inherits the environment.
        os.chdir(project)
        os.environ["PYTHONPATH"] = os.pathsep.join([str(project), str(Path(__file__).parent)])
        end_server()
        forkserver.ensure_running()
    finally:
        os.chdir(before)
        os.environ.pop("PYTHONPATH")
        if paths is not None:
            os.environ["PYTHONPATH"] = paths
    return context


def end_server() -> None:
    """A process has one such server: what decodes pictures may have started another, and would
    later be forked from this one. It ends when all that were forked from it have."""
    if decoding_pool._pool:
        decoding_pool._end(decoding_pool._pool)
    forkserver._forkserver._stop()


class Stage:
    """One stage of LINE under way, without MLflow."""

    def __init__(self, context: Any, project: Path, stage: str, trap: str = "") -> None:
        self.output = project / f"{stage}.txt"
        self.output.unlink(missing_ok=True)
        self.process: BaseProcess = context.Process(
            target=_act, args=(str(project), stage, trap, str(self.output)))
        self.process.start()

    def kill_after(self, seconds: float) -> int:
        """SIGKILL so long after the stage has said that it works."""
        deadline = time.monotonic() + 60
        while not self.said and self.process.is_alive() and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(seconds)
        self.process.kill()
        return self.wait()

    def wait(self) -> int:
        """The exit code, negative for a signal."""
        self.process.join(120)
        assert self.process.exitcode is not None, "still running after two minutes"
        return self.process.exitcode

    @property
    def said(self) -> str:
        """Everything printed so far."""
        return self.output.read_text(encoding="utf-8") if self.output.is_file() else ""


def _act(project: str, stage: str, trap: str, output: str) -> None:
    """In the child: run the stage as the command line does."""
    from hdm.cli import main

    stream = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number in (1, 2):
        os.dup2(stream, number)
    os.chdir(project)
    os.environ["HDM_TRACKING"] = "off"
    if trap:
        _set_trap(trap)
    main(["stage", stage, LINE])


def _set_trap(trap: str) -> None:
    """At the nth renaming below data/: die ('kill 2') or find the disk full ('full 1')."""
    what, number = trap.split()
    count = [0]
    for name in ("rename", "replace"):
        setattr(Path, name, _trapped(getattr(Path, name), what, int(number), count))


def _trapped(original: Any, what: str, number: int, count: list[int]) -> Any:
    def renamed(path: Path, target: Any) -> Any:
        if "/data/" in str(target) and "/.work/" not in str(target):
            count[0] += 1
            if count[0] == number:
                if what == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return original(path, target)

    return renamed
