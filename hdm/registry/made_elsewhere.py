"""A version that another checkout made of the very same detector: it is this one's, too.

Checkouts share a registry and, through DVC's remote, what the stages make. The receipt of a
decision stays where it was made, so `register` runs in each of them and looks here first.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from hdm.files import read_json
from hdm.line import Line
from hdm.registry.history import receipt_file
from hdm.registry.ledger import RETRAIN, Link, edit_ledger
from hdm.registry.mlflow_uris import model_uri
from hdm.registry.model_versions import RETRAIN_RUN
from hdm.registry.retrain_run import RECORD
from hdm.registry.store import Store
from hdm.registry.tracking import MlflowRun, settings_of

SAME = ("line", "outcome", "reasons", "fingerprint", "data_hash", "test_set")
FIGURES = ("image_auroc", "pixel_auroc", "recall", "false_alarm_rate", "threshold")


class MadeElsewhere(NamedTuple):
    """The version, the retrain run that made it, and what was decided: None where that checkout
    was stopped before it had said so."""

    version: str
    run_id: str
    record: dict[str, Any] | None


def made_elsewhere(client: Any, line: Line, mine: str, facts: dict[str, str]
                   ) -> MadeElsewhere | None:
    """The newest version of the line, if another checkout made it of the same detector, data, test
    set and settings; None otherwise.

    mine: this checkout's retrain run. facts: tags that the version must have.
    """
    versions = client.search_model_versions(f"name = '{line.model_name}'")
    newest = max(versions, key=lambda version: int(version.version), default=None)
    if newest is None or any(newest.tags.get(key, "") != value for key, value in facts.items()):
        return None
    run_id = newest.tags.get(RETRAIN_RUN, "")
    if not run_id or run_id in (mine, _last_here(line)):
        return None
    record = _record(client, run_id)
    settings = client.get_run(run_id).data.params
    if record and any(settings.get(key) != value for key, value in settings_of(line).items()):
        return None
    return MadeElsewhere(str(newest.version), run_id, record)


def taken_over(client: Any, line: Line, found: MadeElsewhere, mine: str, store: Store
               ) -> dict[str, Any] | None:
    """The receipt of that version; None where the decision is still to be made, in its run.

    The run that was begun here ends with a word on where its result is.
    """
    empty = MlflowRun(client, mine)
    empty.set_tags({"mlflow.note.content": f"Nothing new: version {found.version} was made of the "
                    f"same detector in run {found.run_id}.", "model_version": found.version})
    empty.finish("FINISHED")
    if found.record is None:
        with edit_ledger(line) as links:
            links[RETRAIN] = Link(found.run_id, store.key)
        return None
    record = found.record
    return {**{key: record[key] for key in SAME}, "model": line.model_name,
            **{name: record["metrics"].get(name) for name in FIGURES},
            "version": found.version, "aliases": record["aliases"],
            "model_uri": model_uri(line.model_name, found.version), "run_id": found.run_id,
            "experiment_id": store.experiment_id, "store": store.key}


def _last_here(line: Line) -> str:
    """The retrain run of this checkout's last receipt; "" without one."""
    file = receipt_file(line)
    return str(read_json(file).get("run_id", "")) if file.is_file() else ""


def _record(client: Any, run_id: str) -> dict[str, Any] | None:
    """What was decided in the run; None where it did not get as far, and is not over."""
    if client.get_run(run_id).info.status != "FINISHED" \
            or not MlflowRun(client, run_id).has(RECORD):
        return None
    with TemporaryDirectory() as scratch:
        file = Path(client.download_artifacts(run_id, RECORD, scratch))
        record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return record
