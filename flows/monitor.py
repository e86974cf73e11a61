"""The flow `hdm-monitor`: one look at a product line; where it has changed, a request to retrain.

Endings, all completed: Steady, Drift (also where it is not known which pictures show one part, so
that no retraining is asked for), Cooling down (drift, but a retraining was asked for a short
time ago) and Idle (no model, or nothing logged yet). A look that cannot be made is Failed; one that
is being made already is cancelled as Already running.
"""

import json
import time
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.events import emit_event
from prefect.states import Cancelled, Completed, Failed
from prefect.tasks import exponential_backoff

from flows import artifacts, outage
from flows.one_run import AlreadyRunning, join_waiting, only_run
from flows.retrain import FIRST_DELAY, RETRIES, may_pass
from flows.stage import StageFailed
from flows.taken_up import GivenUp, check_times_taken_up
from hdm.errors import HDMError
from hdm.line import Line
from hdm.monitoring.retrain_requests import ask
from hdm.orchestration import child_process
from hdm.orchestration.prefect_yaml import DRIFT_EVENT, resource
from hdm.registry.passing import worth_retrying

STEADY, DRIFT, COOLING, IDLE = "Steady", "Drift", "Cooling down", "Idle"


@task(name="look", task_run_name="look@{line}", cache_policy=NO_CACHE, retries=RETRIES,
      retry_delay_seconds=exponential_backoff(FIRST_DELAY), retry_jitter_factor=0.2,
      retry_condition_fn=may_pass)
def look(line: str, project: str) -> dict[str, Any]:
    """The record of `hdm monitor LINE`. Raises StageFailed."""
    with child_process.running(["python", "-m", "hdm", "monitor", line, "--json"], Path(project),
                       capture=True) as process:
        said = list(child_process.lines(process))
        code = process.wait()
    records = [text for text in said if text.startswith("{")]
    if code or not records:
        told = [text.removeprefix("error: ") for text in said if text.startswith("error: ")]
        sentence = (told or said or [f"`hdm monitor` ended with exit code {code}."])[-1]
        raise StageFailed("monitor", line, sentence, passing=worth_retrying(sentence),
                          tail=tuple(said[-40:]))
    record: dict[str, Any] = json.loads(records[-1])
    return record


@flow(name="hdm-monitor", flow_run_name="monitor-{product_line}", log_prints=False)
def hdm_monitor(product_line: str) -> Any:
    """Look once whether a product line has changed since its live model was calibrated.

    Args:
        product_line: a line of pipelines.yaml.
    """
    try:
        line = Line.load(product_line)
        check_times_taken_up(product_line)
        with only_run("look", line.name, line.project):
            outage.tell("joining requests", lambda: join_waiting(line.name))
            record = look(line.name, str(line.project))
            for sentence in record.get("told", ()):
                get_run_logger().warning("%s: %s", line.name, sentence)
            outage.tell("the look", lambda: artifacts.publish_look(line, record))
            return _ending(line, record)
    except AlreadyRunning as request:
        return Cancelled(name=request.state, message=str(request))
    except (HDMError, StageFailed, GivenUp) as error:
        return Failed(message=str(error), data=error)


def _ending(line: Line, record: dict[str, Any]) -> State[Any]:
    """Ask for a retraining if there is reason to, and say how it ends."""
    sentence = record["sentence"]
    if record["state"] != "drift":
        return Completed(name=IDLE if record["state"] == "idle" else STEADY, message=sentence,
                         data=record)
    if record.get("doubt"):
        return Completed(name=DRIFT, message=f"{sentence} {record['doubt']}", data=record)
    if not line.params.monitor.retrain:
        return Completed(name=DRIFT, message=f"{sentence} Retraining on alarms is switched off.",
                         data=record)
    wait = ask(line.monitor_folder, str(record["model"]), sentence,
               line.params.monitor.cooldown_hours, time.time())
    if wait:
        return Completed(name=COOLING, data=record, message=(
            f"{sentence} A retraining was asked for a short time ago; the next one in "
            f"{wait / 3600:.1f} hours at the earliest."))
    emit_event(DRIFT_EVENT, resource={"prefect.resource.id": resource(line.name),
                                      "prefect.resource.name": line.name},
               payload={"line": line.name, "model": record["model"], "sentence": sentence})
    get_run_logger().warning("Asked for a retraining of %s: %s", line.name, sentence)
    return Completed(name=DRIFT, message=f"{sentence} A retraining was asked for.", data=record)
