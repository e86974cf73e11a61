"""One MLflow run a stage, nested in one run a retrain.

Tracking serves the computing: a store that is unreachable at the start is one clear error before
anything is computed, and one that fails later costs a warning and no result.
"""

import hashlib
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hdm import git
from hdm.errors import HDMError
from hdm.line import Line
from hdm.registry.address import tracking_off, tracking_uri, unreachable
from hdm.registry.continuity import unfitting
from hdm.registry.decision_log import person
from hdm.registry.ledger import OPEN, RETRAIN, Link, edit_ledger
from hdm.registry.lost_runs import end_lost_runs, flow_run_tag
from hdm.registry.mlflow_client import connect, first_line
from hdm.registry.outbox import Outbox
from hdm.registry.quick_client import MISSING
from hdm.registry.store import Store, prepare
from hdm.stage_run import NoRun, StageRun

LOG = logging.getLogger("hdm.registry")
FLUSH_SECONDS = 1.0
SOURCE = {"mlflow.source.name": "dvc.yaml", "mlflow.source.type": "LOCAL"}
DECIDES = "register"  # the stage that speaks about versions
BATCH = 100  # MLflow's limit of parameters a request
MOST_METRICS = 1000  # and of metrics


class MlflowRun:
    """A StageRun in MLflow. Metrics are sent at most once a second; no method ever raises."""

    def __init__(self, client: Any, run_id: str) -> None:
        self.run_id: str | None = run_id
        self._client = client
        self._outbox = Outbox(client)
        self._metrics: list[Any] = []
        self._flushed = time.monotonic()

    def log_params(self, params: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        entries = [Param(k, str(v)[:6000]) for k, v in flatten(params).items()]
        for start in range(0, len(entries), BATCH):
            self._outbox.put("log_batch", self.run_id, params=entries[start:start + BATCH])

    def log_metrics(self, metrics: Mapping[str, float | None], step: int | None = None) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._metrics += [Metric(k, float(v), now, step or 0)
                          for k, v in metrics.items() if v is not None]
        if time.monotonic() - self._flushed > FLUSH_SECONDS or len(self._metrics) >= 500:
            self.flush()

    def log_artifact(self, path: Path, folder: str | None = None) -> None:
        log = "log_artifacts" if Path(path).is_dir() else "log_artifact"
        self._outbox.put(log, self.run_id, str(path), folder)

    def log_table(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            columns = {key: [row.get(key) for row in rows] for key in rows[0]}
            self._outbox.put("log_table", self.run_id, columns, f"{name}.json")

    def log_figure(self, name: str, figure: Any) -> None:
        self._outbox.put("log_figure", self.run_id, figure, name)

    def log_text(self, name: str, text: str) -> None:
        self._outbox.put("log_text", self.run_id, text, name)

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        from mlflow.entities import RunTag

        entries = [RunTag(k, str(v)[:5000]) for k, v in tags.items()]
        self._outbox.put("log_batch", self.run_id, tags=entries)

    def flush(self) -> None:
        """Send the metrics that were collected."""
        self._flushed = time.monotonic()
        for start in range(0, len(self._metrics), MOST_METRICS):
            self._outbox.put("log_batch", self.run_id,
                             metrics=self._metrics[start:start + MOST_METRICS])
        self._metrics = []

    def finish(self, status: str) -> None:
        """Send what waits and end the run as FINISHED, FAILED or KILLED.

        A finished stage waits a while for a server that is away; one that failed does not.
        """
        self.flush()
        self._outbox.put("set_terminated", self.run_id, status)
        self._outbox.end(patient=status == "FINISHED")

    def has(self, name: str) -> bool:
        """Whether a file called `name` is among the run's; False also where that cannot be told."""
        try:
            return any(file.path == name for file in self._client.list_artifacts(self.run_id))
        except Exception:
            return False

    def knows(self, run_id: str) -> bool:
        """Whether the store has that run; True also where that cannot be told."""
        try:
            self._client.get_run(run_id)
        except Exception as error:
            return getattr(error, "error_code", "") != MISSING
        return True


@contextmanager
def stage_run(line: Line, stage: str, params: Mapping[str, Any]) -> Iterator[StageRun]:
    """Log `stage` as a run nested in the line's open retrain run, which is opened if need be.

    The run ends as FINISHED, as FAILED with the reason in the tag `reason`, or as KILLED; the
    ledger then links the stage to it. With HDM_TRACKING=off nothing is logged.
    Raises RegistryError before the block is entered if the store cannot be used.
    """
    if tracking_off():
        yield NoRun()
        return
    store = prepare(line)
    client = connect(tracking_uri(line.project))
    run, parent = _begin(client, line, stage, store)
    if stage == DECIDES and (said := _unfitting(client, line)):
        LOG.warning(said)
    run.log_params(params)
    try:
        yield run
    except BaseException as error:
        status = "FAILED" if isinstance(error, Exception) else "KILLED"
        for failed in (run, parent):
            failed.set_tags({"reason": first_line(error), "failed_stage": stage})
            failed.finish(status)
        raise
    run.set_tags(_data_tags(line))
    run.finish("FINISHED")
    try:
        with edit_ledger(line) as links:
            links.pop(OPEN + stage, None)
            links[stage] = Link(str(run.run_id), store.key)
    except (HDMError, OSError) as error:
        LOG.warning("The ledger does not link %s to its run (%s).", stage, first_line(error))


def _begin(client: Any, line: Line, stage: str, store: Store) -> tuple[MlflowRun, MlflowRun]:
    """The stage's new run and the retrain run around it; raises HDMError."""
    try:
        return _begin_runs(client, line, stage, store)
    except HDMError:
        raise
    except Exception as error:
        raise unreachable(tracking_uri(line.project), first_line(error)) from error


def _begin_runs(client: Any, line: Line, stage: str, store: Store
                ) -> tuple[MlflowRun, MlflowRun]:
    tags = {"line": line.name, **SOURCE, "mlflow.user": person(), **_git_tags(line.project),
            **_data_tags(line), **flow_run_tag()}
    with edit_ledger(line) as links:
        end_lost_runs(client, store, links)
        parent_id = open_retrain(client, line, store, tags, links)
        stale = links.get(OPEN + stage)
        if stale and stale.store == store.key:
            MlflowRun(client, stale.run_id).finish("KILLED")
        run = client.create_run(store.experiment_id, run_name=stage, tags={
            **tags, "stage": stage, "mlflow.parentRunId": parent_id})
        links[OPEN + stage] = Link(run.info.run_id, store.key)
    return MlflowRun(client, run.info.run_id), MlflowRun(client, parent_id)


def open_retrain(client: Any, line: Line, store: Store, tags: Mapping[str, str],
                 links: dict[str, Link]) -> str:
    """Id of the retrain run that `links` holds if it can still be continued, else of a new one."""
    known = links.get(RETRAIN)
    if known and known.store == store.key:
        try:
            info = client.get_run(known.run_id).info
            if info.lifecycle_stage == "active":
                if info.status != "RUNNING":
                    client.update_run(known.run_id, status="RUNNING")
                for key, value in flow_run_tag().items():
                    client.set_tag(known.run_id, key, value)
                return known.run_id
        except Exception as error:  # the store was emptied or restored meanwhile
            LOG.warning("The ledger's retrain run %s is not in the store (%s); a new one is begun.",
                        known.run_id, first_line(error))
    name = f"retrain {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())}"
    run = client.create_run(store.experiment_id, run_name=name,
                            tags={**tags, "kind": "retrain"})
    links[RETRAIN] = Link(run.info.run_id, store.key)
    return run.info.run_id


def _unfitting(client: Any, line: Line) -> str:
    try:
        return unfitting(client, line)
    except Exception as error:  # the stage itself will meet it, if it lasts
        LOG.debug("the decision log could not be compared: %s", error)
        return ""


def data_hash(line: Line) -> str | None:
    """SHA-256 of the manifest, which holds the hash of every image; None before ingest."""
    try:
        return hashlib.sha256(line.manifest_file.read_bytes()).hexdigest()
    except OSError:
        return None


def flatten(params: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """{"a": {"b": 1}} as {"a.b": 1}."""
    flat: dict[str, Any] = {}
    for key, value in params.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def settings_of(line: Line) -> dict[str, str]:
    """Every setting of the line under its dotted name, as parameters of MLflow."""
    settings = flatten(line.params.model_dump(mode="json", by_alias=True))
    return {name: str(value) for name, value in settings.items()}


def _data_tags(line: Line) -> dict[str, str]:
    value = data_hash(line)
    return {"data_hash": value} if value else {}


def _git_tags(project: Path) -> dict[str, str]:
    """Commit and whether tracked files differ from it; nothing outside a git repository."""
    commit, dirty = git.commit(project), git.changed(project, "-uno")
    if not commit or dirty is None:
        return {}
    return {"mlflow.source.git.commit": commit, "git_dirty": str(dirty).lower()}
