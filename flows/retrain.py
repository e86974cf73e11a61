"""The flow `hdm-retrain`: the stages of one product line in order, or every line.

DVC decides what has to run, so Prefect's result cache stays off and running a flow again is cheap.
Endings: Completed (Promoted, HeldOut or Refused by the gate; Unchanged), Rejected data, Failed, and
Already running (a cancelled request).
"""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.states import Cancelled, Completed, Failed
from prefect.tasks import exponential_backoff

from flows import approval, artifacts, outage
from flows.one_run import AlreadyRunning, join_waiting, only_run
from flows.stage import INBOX, PROBE, UNCHANGED, StageFailed, owner, run_stage
from flows.taken_up import GivenUp, check_times_taken_up, end_lost_lines
from hdm.config import STAGES, load_pipelines
from hdm.errors import HDMError
from hdm.line import Line, find_project
from hdm.orchestration import child_process
from hdm.orchestration.run_progress import run_shown

ALL = "all"
RETRIES = 4
FIRST_DELAY = 10  # seconds; then 20, 40, 80


def stages_of(line: Line) -> tuple[str, ...]:
    """The DVC stages of the line in order; images of sample lines are drawn first, and an inbox is
    taken in before all else."""
    samples = load_pipelines(line.project).sample_lines
    first = ("samples", "configure") if line.name in samples else ("configure",)
    inbox = (INBOX,) if line.entry.inbox else ()
    return (*inbox, *first, *STAGES[:-1], PROBE, STAGES[-1])


def may_pass(_task: object, _run: TaskRun, state: State[Any]) -> bool:
    """Retry locks and networks; bad data and bad settings fail the same way again."""
    return isinstance(state.data, StageFailed) and state.data.passing


@task(name="dvc-stage", task_run_name="{stage}@{line}", cache_policy=NO_CACHE, retries=RETRIES,
      retry_delay_seconds=exponential_backoff(FIRST_DELAY), retry_jitter_factor=0.2,
      retry_condition_fn=may_pass)
def dvc_stage(stage: str, line: str, project: str, hours: float) -> str:
    """Bring one stage of one line up to date. Returns 'ran', 'unchanged' or 'cached'."""
    return run_stage(stage, line, Path(project), get_run_logger().info, hours)


@flow(name="hdm-retrain", flow_run_name="retrain-{product_line}", log_prints=False)
def hdm_retrain(product_line: str = ALL) -> Any:
    """Retrain one product line, or every one with product_line='all'.

    Args:
        product_line: a line of pipelines.yaml, or 'all'.
    """
    try:
        project = find_project()
        check_times_taken_up(product_line)
        with only_run("retrain", product_line, project):
            outage.tell("joining requests", lambda: join_waiting(product_line))
            if product_line == ALL:
                end_lost_lines()
                pipelines = load_pipelines(project)
                return _every_line(sorted(pipelines.lines), pipelines.parallel)
            return _one_line(Line.load(product_line, project))
    except AlreadyRunning as request:
        return Cancelled(name=request.state, message=str(request))
    except (HDMError, GivenUp) as error:
        return Failed(message=str(error), data=error)


def _one_line(line: Line) -> State[Any]:
    log = get_run_logger()
    if left := child_process.stop_left_over(owner(line.name, line.project)):
        log.warning("Stopped %d processes that a killed run of %s had left behind; its stage "
                    "continues where it stood.", left, line.name)
    last = ""
    try:
        with run_shown(line):
            for stage in stages_of(line):
                result = dvc_stage(stage, line.name, str(line.project), line.params.stage_hours)
                log.info("%s@%s: %s", stage, line.name, result)
                last = result
    except StageFailed as error:
        log.error("%s: %s", error.outcome, error)
        reason = error
        outage.tell("the reason", lambda: artifacts.publish_failure(line, reason))
        return Failed(name=error.outcome, message=str(error), data=error)
    if last == UNCHANGED:
        return Completed(name="Unchanged", message=f"{line.name}: nothing changed since its last "
                         "registration, so there is nothing to learn; new images or settings do.")
    outage.tell("the results", lambda: artifacts.publish_results(line))
    decision = artifacts.decision(line)
    if approval.asked(line) and approval.ask(line):
        decision |= {"decision": "promoted", "sentence": f"{line.name}: version "
                     f"{decision['version']} promoted: approved by a person."}
    return Completed(name=decision["decision"].capitalize(), message=decision["sentence"],
                     data=decision)


def _every_line(names: list[str], parallel: int) -> State[Any]:
    """One sub-flow a line, so many side by side; a line that fails does not stop the others."""
    subflow: Any = hdm_retrain
    with ThreadPoolExecutor(parallel) as pool:
        # Each thread in a copy of our context: Prefect finds the parent run there.
        runs: dict[str, Future[State[Any]]] = {
            name: pool.submit(copy_context().run, subflow, product_line=name, return_state=True)
            for name in names}
        try:
            states = {name: run.result() for name, run in runs.items()}
        except BaseException:  # cancelled: the threads know nothing of it
            for run in runs.values():
                run.cancel()
            while not all(run.done() for run in runs.values()):
                child_process.stop_all()
                time.sleep(0.1)
            raise
    bad = [f"{name} ({state.name}: {state.message})" for name, state in states.items()
           if not state.is_completed() and state.name != AlreadyRunning.state]
    endings = {name: state.name for name, state in states.items()}
    if bad:
        return Failed(message=f"{len(bad)} of {len(states)} lines failed: {'; '.join(bad)}")
    summary = ", ".join(f"{name} {ending}" for name, ending in endings.items())
    return Completed(message=summary or "pipelines.yaml has no lines.", data=endings)
