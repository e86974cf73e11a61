"""Stage register: the calibrated detector and its evaluation -> a model version with a decision."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from rich.console import Console

from hdm.config import STAGES
from hdm.dataset.manifest import Manifest
from hdm.detector.detector import ignored_by
from hdm.errors import RegistryError
from hdm.evaluation.detection import DETECTION_FILE, Detection
from hdm.evaluation.inspected import inspected
from hdm.files import atomic_folder, read_json, write_json
from hdm.line import Line
from hdm.progress import progress_bar
from hdm.registry import ledger
from hdm.registry.address import tracking_uri
from hdm.registry.comparison import Candidate, compare_with_champion
from hdm.registry.decision_record import DecisionRecord
from hdm.registry.detector_files import assembled, fingerprint
from hdm.registry.gate import GateEvidence, gate
from hdm.registry.history import receipt_file
from hdm.registry.lineage import lineage_tags
from hdm.registry.logged_model import logged_model
from hdm.registry.made_elsewhere import made_elsewhere, taken_over
from hdm.registry.mlflow_client import connect, first_line, load_mlflow
from hdm.registry.mlflow_uris import model_uri
from hdm.registry.model_versions import (
    FINGERPRINT,
    champion_before,
    find_champion,
    register_version,
)
from hdm.registry.parity import check_packaged
from hdm.registry.promotion import carry_out
from hdm.registry.recorded_outputs import check_recorded
from hdm.registry.registered_files import SUMS_TAG
from hdm.registry.retention import prune
from hdm.registry.retrain_run import close_retrain
from hdm.registry.store import prepare
from hdm.registry.tracking import MlflowRun, data_hash
from hdm.registry.training_data import TrainingData
from hdm.registry.used_data import UsedData
from hdm.registry.version_description import describe
from hdm.report.evaluation_record import TABLE, log_evaluation
from hdm.settings import Params
from hdm.stage_run import StageRun

UNTIL_HERE = STAGES[:STAGES.index("register")]
TRUSTED = ("metrics.json", DETECTION_FILE, "scores.parquet")
"""What evaluate measured and the gate decides by."""


def run(line: Line, settings: Params, run: StageRun, console: Console) -> None:
    """Log the model, decide, register, move the aliases, close the retrain run, write receipt.json.

    With tracking switched off the decision is made without a champion and nothing is registered.
    Raises RegistryError if MLflow refuses, HDMError if an earlier stage's output is missing or is
    not what that stage made.
    """
    measured = line.stage_folder("evaluate")
    check_recorded(line, "evaluate", *(measured / name for name in TRUSTED))
    metrics, detection = read_json(measured / "metrics.json"), Detection.load(measured)
    manifest = Manifest.load(line.manifest_file, line.source_root)
    with assembled(line) as folder:
        candidate = Candidate(folder, fingerprint(folder), metrics, detection,
                              TrainingData.of(manifest))
        if run.run_id is None:
            record = _decide(line, settings, candidate, candidate.evidence)
            _write(line, {**record.receipt(), "version": None, "aliases": []})
            _say(console, f"{line.name}: {record.decision.outcome}, but HDM_TRACKING is off: "
                          "nothing was registered.")
            return
        try:
            test, _ = inspected(manifest.split("test"), ignored_by(folder))
            receipt = _register(line, settings, run, candidate, manifest, test, console)
        except (MlflowException, OSError) as error:
            raise RegistryError(f"MLflow refused to register {line.model_name}: "
                                f"{first_line(error)} Mend that and run the same command again."
                                ) from error
    _write(line, receipt)
    with ledger.edit_ledger(line) as links:
        links.pop(ledger.RETRAIN, None)


def _register(line: Line, settings: Params, run: StageRun, candidate: Candidate,
              manifest: Manifest, test: Manifest, console: Console) -> dict[str, Any]:
    mlflow, store, uri = load_mlflow(), prepare(line), tracking_uri(line.project)
    client = connect(uri)
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    mlflow.set_experiment(experiment_id=store.experiment_id)
    retrain = ledger.read_ledger(line)[ledger.RETRAIN].run_id
    if found := made_elsewhere(client, line, retrain, {
            FINGERPRINT: candidate.fingerprint, "hdm.data_hash": data_hash(line) or "",
            "hdm.test_set": _test_set(line)}):
        if receipt := taken_over(client, line, found, retrain, store):
            _say(console, f"{line.name}: version {found.version} was made elsewhere of the same "
                          "detector; there is nothing to decide.")
            return receipt
        retrain = found.run_id
    champion = find_champion(client, line.model_name)
    commit = client.get_run(retrain).data.tags.get("mlflow.source.git.commit", "")
    logged = logged_model(
        mlflow, client, line, retrain, candidate.folder, candidate.metrics,
        {FINGERPRINT: candidate.fingerprint, "data_hash": data_hash(line) or "",
         "git_commit": commit, **candidate.training.tags()},
        UsedData.of(mlflow, line, manifest, test, _test_set(line)))
    if champion and logged.version == champion.version:
        # An interrupted attempt got as far as making this very version champion.
        champion = champion_before(client, line.model_name, champion.version)
    with console.status("judging test images with the registered model"):
        scores = pd.read_parquet(line.stage_folder("evaluate") / "scores.parquet")
        packaged = check_packaged(logged.address, uri, test, scores)
    compared = compare_with_champion(line, champion, candidate, test, settings.register_,
                                     partial(progress_bar, console))
    if compared.problem:
        _say(console, f"{line.name}: the champion cannot be scored: {compared.problem}")
    record = _decide(line, settings, candidate, replace(compared.evidence, packaged=packaged),
                     commit=commit, champion=champion, champion_metrics=compared.champion_metrics)
    version = register_version(
        mlflow, client, logged,
        {**record.tags(retrain), **lineage_tags(line, UNTIL_HERE), SUMS_TAG: logged.sums},
        lambda number: describe(record, number, store.experiment_id, retrain))
    aliases = carry_out(client, line, version, record.decision)
    receipt = {**record.receipt(), "version": version, "aliases": aliases,
               "model_uri": model_uri(line.model_name, version), "run_id": retrain,
               "experiment_id": store.experiment_id, "store": store.key}
    whole = MlflowRun(client, retrain)
    if not whole.has(TABLE):  # MLflow would add the rows of an interrupted attempt once more
        log_evaluation(whole, scores, candidate.metrics)
    close_retrain(whole, line, store, run, {**record.as_dict(), "version": version,
                                            "aliases": aliases})
    _announce(console, line, receipt)
    _retire(client, line, console)
    return receipt


def _decide(line: Line, settings: Params, candidate: Candidate, evidence: GateEvidence,
            **known: Any) -> DecisionRecord:
    return DecisionRecord(line, settings.register_, evidence, gate(evidence, settings.register_),
                          candidate.fingerprint, data_hash(line) or "", test_set=_test_set(line),
                          training=candidate.training, **known)


def _test_set(line: Line) -> str:
    """The name of what evaluate measured on; "" where it did not say."""
    file = line.stage_folder("evaluate") / line.test_set_file.name
    return str(read_json(file).get("name", "")) if file.is_file() else ""


def _write(line: Line, receipt: Mapping[str, Any]) -> None:
    """Replace the whole output, so that nothing of a killed attempt stays in it."""
    with atomic_folder(line.stage_folder("register")) as folder:
        write_json(folder / receipt_file(line).name, receipt)


def _retire(client: Any, line: Line, console: Console) -> None:
    """Retention; what cannot be deleted today is deleted another day."""
    try:
        gone = prune(client, line, line.params.retention.versions)
    except RegistryError as error:
        _say(console, f"{line.name}: {error}")
        return
    if gone:
        _say(console, f"{line.name}: deleted old versions {', '.join(map(str, gone))}")


def _announce(console: Console, line: Line, receipt: Mapping[str, Any]) -> None:
    _say(console, f"{line.name}: {receipt['outcome']} {line.model_name} version "
                  f"{receipt['version']} (alias {', '.join(receipt['aliases'])})")
    for reason in receipt["reasons"]:
        _say(console, f"  {reason['code']}: {reason['sentence']}")


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
