"""The end of a retraining in MLflow: its run gets its summary and is closed."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from hdm.line import Line
from hdm.registry.decision_record import environment
from hdm.registry.ledger import Link, stage_links
from hdm.registry.mlflow_uris import version_page
from hdm.registry.store import Store
from hdm.registry.tracking import MlflowRun, settings_of
from hdm.stage_run import StageRun

LOG = logging.getLogger("hdm.registry")
RECORD = "decision.json"
"""The file of a retrain run that says what was decided."""


def close_retrain(retrain: MlflowRun, line: Line, store: Store, run: StageRun,
                  summary: Mapping[str, Any]) -> None:
    """Log settings, decision and files on the retrain run, beside its metrics, and end it.

    run: of the stage register. Failures here cost a warning only.
    """
    links = stage_links(line) | {"register": Link(str(run.run_id), store.key)}
    lost = [stage for stage, link in links.items()
            if link.store == store.key and not retrain.knows(link.run_id)]
    if lost:
        LOG.warning("The ledger's runs of %s are not in the store, which was restored from an "
                    "older backup; what they made is here, their curves are gone.",
                    ", ".join(lost))
    retrain.log_params(settings_of(line))
    run.log_metrics({k: v for k, v in summary["metrics"].items() if isinstance(v, int | float)})
    page = version_page(line.model_name, summary["version"])
    retrain.set_tags({
        "mlflow.note.content": f"[{line.model_name} version {summary['version']}]({page}): "
                               f"{summary['outcome']}",
        "decision": summary["outcome"], "model_version": summary["version"],
        "data_hash": summary["data_hash"], "fingerprint": summary["fingerprint"],
        **{f"stage.{stage}": link.run_id if link.store == store.key and stage not in lost else
           f"{link.run_id} ({'lost' if stage in lost else 'in another store'})"
           for stage, link in links.items()}})
    run.set_tags({"decision": summary["outcome"], "model_version": summary["version"]})
    retrain.log_text(RECORD, json.dumps(summary, indent=2, ensure_ascii=False))
    retrain.log_text("environment.txt", environment())
    evaluate = line.stage_folder("evaluate")
    for file in (line.project / "dvc.lock", evaluate / "report.html",
                 evaluate / "by_defect_type.csv"):
        if file.is_file():
            retrain.log_artifact(file)
    retrain.finish("FINISHED")
