"""Commands of `hdm` in processes that start in milliseconds: forks of one that has imported all."""

import contextlib
import importlib
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from hdm.config import STAGES

from . import ROOT

LIBRARIES = ("torch", "mlflow", "great_expectations", "hdm.cli",
             *(f"hdm.stages.{stage}" for stage in STAGES))


def warm() -> None:
    """Import what all commands need, with one thread, as threads do not survive a fork."""
    os.environ.update(OMP_NUM_THREADS="1", COLUMNS="120", HDM_ACTOR="bench",
                      PYTHONPATH=str(ROOT), DVC_NO_ANALYTICS="1")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    from hdm.registry.mlflow_client import load_mlflow

    for name in LIBRARIES:
        importlib.import_module(name)
    load_mlflow()
    importlib.import_module("torch").set_num_threads(1)


def learn(project: Path, *commands: Sequence[str]) -> None:
    """Run the commands once; what they imported is imported here, too."""
    known = project.parent / "modules.txt"

    def note() -> None:
        leave = os._exit

        def leave_noting(code: int) -> None:
            known.write_text("\n".join(sys.modules))
            leave(code)

        os._exit = leave_noting  # type: ignore[assignment]

    command = Command(project, *commands, before=note)
    code = command.wait()
    assert code == 0, command.said()
    for name in known.read_text().split():
        if name not in sys.modules and not name.startswith(("code_model", "__main__")):
            with contextlib.suppress(Exception), contextlib.redirect_stderr(None):
                importlib.import_module(name)
    known.unlink()


class Command:
    """`hdm ...` under way in `project`; several may be given, run one after the other."""

    def __init__(self, project: Path, *commands: Sequence[str],
                 before: Callable[[], None] = lambda: None) -> None:
        self.output = project.parents[1] / f"{project.name}-{time.monotonic_ns()}.txt"
        self.started = time.monotonic()
        self.process = os.fork()
        if not self.process:
            _act(project, commands, before, self.output)

    def kill_after(self, seconds: float) -> None:
        """SIGKILL to it and all that it started, so long after its start."""
        time.sleep(max(0.0, self.started + seconds - time.monotonic()))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process, signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        """The exit code, negative for a signal."""
        _, status = os.waitpid(self.process, 0)
        self.seconds = time.monotonic() - self.started
        return os.waitstatus_to_exitcode(status)

    def said(self) -> str:
        """Everything printed, which is then forgotten."""
        text = self.output.read_text(encoding="utf-8") if self.output.is_file() else ""
        self.output.unlink(missing_ok=True)
        return text


def _act(project: Path, commands: Sequence[Sequence[str]], before: Callable[[], None],
         output: Path) -> None:
    """In the child; never returns."""
    code = 1
    try:
        os.setsid()
        stream = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for number in (1, 2):
            os.dup2(stream, number)
        os.chdir(project)
        before()
        from hdm.cli import main

        for words in commands:
            code = _exit_code(main, words)
            if code:
                break
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _exit_code(main: Callable[[list[str]], int | None], words: Sequence[str]) -> int:
    try:
        return int(main(list(words)) or 0)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
