"""A line that nobody else works with: no stage, no flow, no intake, no server."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from hdm.config import STAGES
from hdm.errors import HDMError
from hdm.registry.ledger import lock_folder
from hdm.serving.line_in_use import unserved
from hdm.stages.one_writer import nobody_writes

FLOWS = {"retrain": "a retraining", "monitor": "a look for drift", "inbox": "an intake"}


@contextmanager
def changing(project: Path) -> Iterator[None]:
    """One change of lines at a time in a project; raises HDMError without waiting."""
    with _free(project, "lines", "another `hdm lines` is at work; wait for it, then run the same "
               "command again."):
        yield


@contextmanager
def undisturbed(project: Path, *names: str) -> Iterator[None]:
    """Hold all locks of these lines, so that nothing of theirs begins meanwhile.

    Raises HDMError if something is under way. What begins a moment later and asks for the line
    finds the plan of the change (see hdm.line).
    """
    with ExitStack() as held:
        for name in names:
            work = project / "data" / name / ".work"
            held.enter_context(unserved(project, name))
            for flow, what in FLOWS.items():
                held.enter_context(_free(project, f"{flow}-{name}", (
                    f"{what} of {name} is under way; wait for it, or stop it, then run the same "
                    "command again.")))
            held.enter_context(nobody_writes(
                {f"{stage} of {name}": work / f"{stage}.lock" for stage in STAGES}))
        yield


@contextmanager
def _free(project: Path, lock: str, refusal: str) -> Iterator[None]:
    try:
        with FileLock(lock_folder(project) / f"{lock}.lock", timeout=0):
            yield
    except Timeout:
        raise HDMError(refusal) from None
