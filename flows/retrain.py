"""The flow `hdm-retrain`: the stages of one product line in order, or every line in turn.

DVC decides what has to run, so Prefect's result cache stays off and running a flow again is cheap.
Three endings: Completed (Promoted, Held or Refused by the gate), Rejected data, Failed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from logging import Logger, LoggerAdapter
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.states import Completed, Failed
from prefect.tasks import exponential_backoff

from flows import artifacts
from flows.stage import StageFailed, run_stage
from hdm.config import STAGES, load_pipelines
from hdm.errors import HDMError
from hdm.line import Line, find_project
from hdm.registry.ledger import lock_folder

ALL = "all"
RETRIES = 4
FIRST_DELAY = 10  # seconds; then 20, 40, 80

Log = Logger | LoggerAdapter[Any]


def stages_of(line: Line) -> tuple[str, ...]:
    """The DVC stages of the line in order; images of sample lines are drawn first."""
    samples = load_pipelines(line.project).sample_lines
    first = ("samples", "configure") if line.name in samples else ("configure",)
    return (*first, *STAGES[:-1], "registry", STAGES[-1])


def may_pass(_task: object, _run: TaskRun, state: State[Any]) -> bool:
    """Retry locks and networks; bad data and bad settings fail the same way again."""
    return isinstance(state.data, StageFailed) and state.data.passing


@task(name="dvc-stage", task_run_name="{stage}@{line}", cache_policy=NO_CACHE, retries=RETRIES,
      retry_delay_seconds=exponential_backoff(FIRST_DELAY), retry_jitter_factor=0.2,
      retry_condition_fn=may_pass)
def dvc_stage(stage: str, line: str, project: str) -> str:
    """Bring one stage of one line up to date. Returns 'ran', 'unchanged' or 'cached'."""
    return run_stage(stage, line, Path(project), get_run_logger().info)


@flow(name="hdm-retrain", flow_run_name="retrain-{product_line}", log_prints=False)
def hdm_retrain(product_line: str = ALL) -> Any:
    """Retrain one product line, or one after the other with product_line='all'.

    Args:
        product_line: a line of pipelines.yaml, or 'all'.
    """
    try:
        project = find_project()
        if product_line == ALL:
            return _every_line(sorted(load_pipelines(project).lines))
        return _one_line(Line.load(product_line, project))
    except HDMError as error:
        return Failed(message=str(error), data=error)


def _one_line(line: Line) -> State[Any]:
    log = get_run_logger()
    with only_run_of(line, log):
        try:
            for stage in stages_of(line):
                result = dvc_stage(stage, line.name, str(line.project))
                log.info("%s@%s: %s", stage, line.name, result)
        except StageFailed as error:
            log.error("%s: %s", error.outcome, error)
            artifacts.publish_failure(line, error)
            return Failed(name=error.outcome, message=str(error), data=error)
        artifacts.publish_results(line)
    decision = artifacts.decision(line)
    return Completed(name=decision["decision"].capitalize(), message=decision["sentence"],
                     data=decision)


def _every_line(names: list[str]) -> State[Any]:
    """One sub-flow a line; a line that fails does not stop the others."""
    subflow: Any = hdm_retrain
    states: dict[str, State[Any]] = {
        name: subflow(product_line=name, return_state=True) for name in names}
    bad = [f"{name} ({state.name}: {state.message})"
           for name, state in states.items() if not state.is_completed()]
    endings = {name: state.name for name, state in states.items()}
    if bad:
        return Failed(message=f"{len(bad)} of {len(states)} lines failed: {'; '.join(bad)}")
    summary = ", ".join(f"{name} {ending}" for name, ending in endings.items())
    return Completed(message=summary or "pipelines.yaml has no lines.", data=endings)


@contextmanager
def only_run_of(line: Line, log: Log) -> Iterator[None]:
    """Wait for a run of the same line: deployments, 'all' and plain calls exclude each other."""
    lock = FileLock(lock_folder(line.project) / f"retrain-{line.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.warning("Another run of %s is under way; waiting for it to end.", line.name)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
