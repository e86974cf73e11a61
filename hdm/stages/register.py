"""register: the calibrated detector and its evaluation -> a model version with a decision."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from rich.console import Console

from hdm.dataset.manifest import Manifest
from hdm.errors import RegistryError
from hdm.files import atomic_folder, read_json, write_json
from hdm.line import Line
from hdm.progress import progress_bar
from hdm.registry import ledger
from hdm.registry.address import is_http, tracking_uri
from hdm.registry.client import connect, first_line, load_mlflow
from hdm.registry.decisions import note
from hdm.registry.gate import Evidence, Metrics
from hdm.registry.history import receipt_file
from hdm.registry.model import assembled, fingerprint, logged_model
from hdm.registry.parity import check_packaged
from hdm.registry.promotion import (
    CHALLENGER,
    CHAMPION,
    Champion,
    champion_before,
    detector_of,
    find_champion,
    register_version,
)
from hdm.registry.record import Context, environment
from hdm.registry.rescore import rescore
from hdm.registry.retention import prune
from hdm.registry.service import put_in_service
from hdm.registry.store import Store, prepare
from hdm.registry.tracking import MlflowRun, StageRun, data_hash, flatten
from hdm.settings import Params


def run(line: Line, settings: Params, run: StageRun, console: Console) -> None:
    """Log the model, decide, register, move the aliases, close the retrain run, write receipt.json.

    With tracking switched off the decision is made without a champion and nothing is registered.
    Raises RegistryError if MLflow refuses, HDMError if an earlier stage's output is missing.
    """
    metrics: Metrics = read_json(line.stage_folder("evaluate") / "metrics.json")
    with assembled(line) as folder:
        mark = fingerprint(folder)
        if run.run_id is None:
            context = Context(line, settings.register_, Evidence(metrics), mark,
                              data_hash(line) or "", "", test_set=test_set_name(line))
            _write(line, {**_receipt(line, context), "version": None, "aliases": []})
            _say(console, f"{line.name}: {context.decision.outcome}, but HDM_TRACKING is off: "
                          "nothing was registered.")
            return
        from mlflow.exceptions import MlflowException

        try:
            receipt = _register(line, settings, run, Candidate(folder, mark, metrics), console)
        except (MlflowException, OSError) as error:
            raise RegistryError(f"MLflow refused to register {line.model_name}: "
                                f"{first_line(error)} Mend that and run the same command again."
                                ) from error
    _write(line, receipt)
    with ledger.edit_ledger(line) as links:
        links.pop(ledger.RETRAIN, None)


class Candidate(NamedTuple):
    """The detector as it will be registered, its fingerprint, and what evaluate measured."""

    folder: Path
    mark: str
    metrics: Metrics


def _write(line: Line, receipt: Mapping[str, Any]) -> None:
    """Replace the whole output, so that nothing of a killed attempt stays in it."""
    with atomic_folder(line.stage_folder("register")) as folder:
        write_json(folder / receipt_file(line).name, receipt)


def _register(line: Line, settings: Params, run: StageRun, candidate: Candidate, console: Console
              ) -> dict[str, Any]:
    mlflow, store, uri = load_mlflow(), prepare(line), tracking_uri(line.project)
    client = connect(uri)
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    mlflow.set_experiment(experiment_id=store.experiment_id)
    retrain = ledger.read_ledger(line)[ledger.RETRAIN].run_id
    champion = find_champion(client, line.model_name)
    logged = logged_model(mlflow, client, line, retrain, candidate.folder, candidate.mark,
                          candidate.metrics)
    if champion and logged.version == champion.version:
        # An interrupted attempt got as far as making this very version champion.
        champion = champion_before(client, line.model_name, champion.version)
    with console.status("judging test images with the registered model"):
        packaged = check_packaged(logged.address, uri, _test_split(line), pd.read_parquet(
            line.stage_folder("evaluate") / "scores.parquet"))
    evidence, theirs = _against(mlflow, line, champion, candidate, settings, console)
    context = Context(line, settings.register_, replace(evidence, packaged=packaged),
                      candidate.mark, data_hash(line) or "", _commit(client, retrain), champion,
                      theirs, test_set_name(line))
    link = f"{uri.rstrip('/') if is_http(uri) else ''}#/experiments/{store.experiment_id}/runs/"
    version = register_version(mlflow, client, logged, context.tags(retrain),
                               context.description(link + retrain))
    names = _move_aliases(client, line, version, context)
    receipt = {**_receipt(line, context), "version": version, "aliases": names,
               "model_uri": f"models:/{line.model_name}/{version}", "run_id": retrain,
               "experiment_id": store.experiment_id, "store": store.key}
    summary = {**context.as_dict(), "version": version, "aliases": names}
    _close_retrain(MlflowRun(client, retrain), line, store, run, summary)
    _announce(console, line, receipt)
    _let_go(client, line, console)
    return receipt


def _let_go(client: Any, line: Line, console: Console) -> None:
    """Retention; what cannot be deleted today is deleted another day."""
    try:
        gone = prune(client, line, line.params.retention.versions)
    except RegistryError as error:
        _say(console, f"{line.name}: {error}")
        return
    if gone:
        _say(console, f"{line.name}: deleted old versions {', '.join(map(str, gone))}")


def _move_aliases(client: Any, line: Line, version: str, context: Context) -> list[str]:
    """Point the aliases as decided, note it, and return those of `version`."""
    decision = context.decision
    why = ", ".join(reason.code for reason in decision.reasons)
    if decision.outcome == "promote":
        put_in_service(client, line, version, why)
        return [CHAMPION]
    client.set_registered_model_alias(line.model_name, CHALLENGER, version)
    note(line, decision.outcome, version, why)
    return [CHALLENGER]


def _against(mlflow: Any, line: Line, champion: Champion | None, candidate: Candidate,
             settings: Params, console: Console) -> tuple[Evidence, Metrics | None]:
    """The evidence beside the champion, and the champion's metrics; None without one."""
    metrics = candidate.metrics
    if champion is None:
        return Evidence(metrics), None
    if champion.fingerprint == candidate.mark:
        return Evidence(metrics, "identical"), metrics
    from hdm.evaluation.evaluate import measure
    from hdm.evaluation.paired import differences

    measured = line.stage_params("evaluate")
    test, gate = _test_split(line), settings.register_
    # Intervals are not compared, so one resample is enough.
    quick = measured.model_copy(update={
        "evaluate": measured.evaluate.model_copy(update={"bootstrap": 1})})
    try:
        folder = detector_of(mlflow, line.model_name, champion.version)
        with progress_bar(console, f"scoring champion version {champion.version}") as report:
            theirs = rescore(folder, test, measured.compute, report)
        champion_metrics = measure(theirs, quick).metrics
    # A champion made by other code may fail in any way; that must not block the line.
    except Exception as error:
        _say(console, f"{line.name}: the champion cannot be scored: {first_line(error)}")
        return Evidence(metrics, "unmeasured"), {}
    with progress_bar(console, "scoring this model") as report:
        ours = rescore(candidate.folder, test, measured.compute, report)
    found = differences(ours, theirs, confidence=gate.confidence, resamples=gate.bootstrap,
                        seed=measured.seed, costs=measured.evaluate.operating_point.costs)
    return Evidence(metrics, "measured", found), champion_metrics


def _test_split(line: Line) -> Manifest:
    return Manifest.load(line.manifest_file, line.source_root).split("test")


def test_set_name(line: Line) -> str:
    """The name of the test set that the figures are of; empty where it has none yet."""
    file = line.stage_folder("evaluate") / line.test_set_file.name
    return str(read_json(file).get("name", "")) if file.is_file() else ""


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
            "data_hash": context.data_hash, "test_set": context.test_set,
            **context.decision.as_dict(),
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
