"""register: the calibrated detector and its evaluation -> a model version with a decision."""

import json
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from hdm.errors import RegistryError
from hdm.files import atomic_folder, read_json, write_json
from hdm.line import Line
from hdm.progress import progress_bar
from hdm.registry import ledger
from hdm.registry.address import is_http, tracking_uri
from hdm.registry.client import connect, first_line, load_mlflow
from hdm.registry.gate import Metrics
from hdm.registry.history import receipt_file
from hdm.registry.model import fingerprint
from hdm.registry.promotion import (
    Champion,
    detector_of,
    find_champion,
    move_aliases,
    register_version,
)
from hdm.registry.record import Context, environment
from hdm.registry.rescore import rescore
from hdm.registry.store import Store, prepare
from hdm.registry.tracking import MlflowRun, StageRun, data_hash, flatten
from hdm.settings import Params


def run(line: Line, settings: Params, run: StageRun, console: Console) -> None:
    """Decide, register, move the aliases, close the retrain run, write receipt.json.

    With tracking switched off the decision is made without a champion and nothing is registered.
    Raises RegistryError if MLflow refuses, HDMError if an earlier stage's output is missing.
    """
    metrics: Metrics = read_json(line.stage_folder("evaluate") / "metrics.json")
    if run.run_id is None:
        context = Context(line, settings.register_, metrics, fingerprint(line.detector_folder),
                          data_hash(line) or "", "")
        _write(line, {**_receipt(line, context), "version": None, "aliases": []})
        _say(console, f"{line.name}: {context.decision.outcome}, but HDM_TRACKING is off: "
                      "nothing was registered.")
        return
    from mlflow.exceptions import MlflowException

    try:
        receipt = _register(line, settings, run, metrics, console)
    except (MlflowException, OSError) as error:
        raise RegistryError(f"MLflow refused to register {line.model_name}: {first_line(error)} "
                            "Mend that and run the same command again.") from error
    _write(line, receipt)
    with ledger.edit_ledger(line) as links:
        links.pop(ledger.RETRAIN, None)


def _write(line: Line, receipt: Mapping[str, Any]) -> None:
    """Replace the whole output, so that nothing of a killed attempt stays in it."""
    with atomic_folder(line.stage_folder("register")) as folder:
        write_json(folder / receipt_file(line).name, receipt)


def _register(line: Line, settings: Params, run: StageRun, metrics: Metrics, console: Console
              ) -> dict[str, Any]:
    mlflow, store, uri = load_mlflow(), prepare(line), tracking_uri(line.project)
    client = connect(uri)
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    mlflow.set_experiment(experiment_id=store.experiment_id)
    retrain = ledger.read_ledger(line)[ledger.RETRAIN].run_id
    mark = fingerprint(line.detector_folder)
    champion = find_champion(client, line.model_name)
    theirs = _champion_metrics(mlflow, line, champion, mark, metrics, console)
    context = Context(line, settings.register_, metrics, mark, data_hash(line) or "",
                      _commit(client, retrain), champion, theirs)
    link = f"{uri.rstrip('/') if is_http(uri) else ''}#/experiments/{store.experiment_id}/runs/"
    version = register_version(
        mlflow, client, line, retrain, context.tags(retrain),
        context.description(link + retrain), metrics)
    names = move_aliases(client, line.model_name, version, context.decision, champion, mark)
    receipt = {**_receipt(line, context), "version": version, "aliases": names,
               "model_uri": f"models:/{line.model_name}/{version}", "run_id": retrain,
               "experiment_id": store.experiment_id, "store": store.key}
    summary = {**context.as_dict(), "version": version, "aliases": names}
    _close_retrain(MlflowRun(client, retrain), line, store, run, summary)
    _announce(console, line, receipt)
    return receipt


def _champion_metrics(mlflow: Any, line: Line, champion: Champion | None, mark: str,
                      metrics: Metrics, console: Console) -> Metrics | None:
    """None without champion; an empty mapping for one that cannot be measured."""
    if champion is None:
        return None
    if champion.fingerprint == mark:
        return metrics
    from hdm.dataset.manifest import Manifest

    manifest = Manifest.load(line.manifest_file, line.source_root)
    try:
        folder = detector_of(mlflow, line.model_name, champion.version)
        with progress_bar(console, f"scoring champion version {champion.version}") as report:
            return rescore(folder, manifest, line.stage_params("evaluate"), report)
    # A champion made by other code may fail in any way; that must not block the line.
    except Exception as error:
        _say(console, f"{line.name}: the champion cannot be scored: {first_line(error)}")
        return {}


def _close_retrain(parent: MlflowRun, line: Line, store: Store, run: StageRun,
                   summary: Mapping[str, Any]) -> None:
    """Give the retrain run its summary and end it; failures here cost a warning only."""
    metrics = {k: v for k, v in summary["metrics"].items() if isinstance(v, int | float)}
    links = ledger.stage_links(line) | {"register": ledger.Link(str(run.run_id), store.key)}
    parent.log_params(flatten(line.params.model_dump(mode="json", by_alias=True)))
    parent.log_metrics(metrics)
    run.log_metrics(metrics)
    parent.set_tags({
        "decision": summary["outcome"], "model_version": summary["version"],
        "data_hash": summary["data_hash"], "fingerprint": summary["fingerprint"],
        **{f"stage.{stage}": link.run_id if link.store == store.key else
           f"{link.run_id} (in another store)" for stage, link in links.items()}})
    run.set_tags({"decision": summary["outcome"], "model_version": summary["version"]})
    parent.log_text("decision.json", json.dumps(summary, indent=2, ensure_ascii=False))
    parent.log_text("environment.txt", environment())
    evaluate = line.stage_folder("evaluate")
    for file in (line.project / "dvc.lock", evaluate / "report.html",
                 evaluate / "by_defect_type.csv"):
        if file.is_file():
            parent.log_artifact(file)
    parent.finish("FINISHED")


def _receipt(line: Line, context: Context) -> dict[str, Any]:
    return {"line": line.name, "model": line.model_name, "fingerprint": context.fingerprint,
            "data_hash": context.data_hash, **context.decision.as_dict(),
            "image_auroc": context.metrics.get("image_auroc"),
            "pixel_auroc": context.metrics.get("pixel_auroc"),
            "threshold": context.metrics.get("threshold")}


def _commit(client: Any, run_id: str) -> str:
    return client.get_run(run_id).data.tags.get("mlflow.source.git.commit", "")


def _announce(console: Console, line: Line, receipt: Mapping[str, Any]) -> None:
    _say(console, f"{line.name}: {receipt['outcome']} {line.model_name} version "
                  f"{receipt['version']} (alias {', '.join(receipt['aliases'])})")
    for reason in receipt["reasons"]:
        _say(console, f"  {reason['code']}: {reason['sentence']}")


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
