"""The register stage on a real store, with a detector that is a number."""

import json
import os
import shutil

import pytest
from registry_lines import (
    make_line,
    retrain,
    write_detector,
    write_images,
    write_metrics,
    write_scores,
)

from hdm.errors import HDMError, RegistryError
from hdm.files import read_json, write_json
from hdm.registry import history, ledger
from hdm.registry.decision_log import noted
from hdm.registry.fetch import fetch
from hdm.registry.ledger import RETRAIN, read_ledger
from hdm.registry.model_versions import aliases
from hdm.registry.tracking import stage_run
from hdm.stages import register


def test_first_model_is_promoted_with_its_record(ready, client, console):
    (ready.project / "dvc.lock").write_text("schema: '2.0'\n")
    receipt = retrain(ready, console, 1.0)
    assert (receipt["outcome"], receipt["version"], receipt["aliases"]) == \
        ("promote", "1", ["champion"])
    version = client.get_model_version_by_alias("hdm-plate", "champion")
    assert version.tags["hdm.decision"] == "promote"
    assert version.tags["hdm.fingerprint"] == receipt["fingerprint"]
    assert "| image AUROC | 1.0000 |" in version.description
    # Every file of it is listed with its hash, and whoever fetches it compares them.
    files = fetch(ready, "models:/hdm-plate@champion").folder.parents[1]
    assert "sbom.cdx.json" in version.description
    assert "hdm.fingerprint" in (files / "sbom.cdx.json").read_text()
    assert "  sbom.cdx.json\n" in (files / "SHA256SUMS").read_text()
    run = client.get_run(receipt["run_id"])
    assert version.run_id == receipt["run_id"]
    assert run.info.status == "FINISHED"
    assert run.data.metrics["image_auroc"] == 1.0
    assert run.data.params["seed"] == "0"
    assert run.data.tags["decision"] == "promote"
    assert {"stage.evaluate", "stage.register"} <= set(run.data.tags)
    files = {f.path for f in client.list_artifacts(receipt["run_id"])}
    assert {"decision.json", "environment.txt", "dvc.lock", "eval_results_table.json",
            "roc_curve_plot.png", "confusion_matrix.png"} <= files
    assert RETRAIN not in read_ledger(ready)
    text = console.file.getvalue()
    assert "promote hdm-plate version 1 (alias champion)" in text
    assert "image_auroc_meets_minimum" in text


def test_a_better_model_replaces_a_rescored_champion_and_a_worse_one_does_not(
        ready, client, console):
    retrain(ready, console, -1.0, auroc=0.9)  # its stored number is a lie: it scores 0
    second = retrain(ready, console, 1.0)
    assert second["outcome"] == "promote"
    codes = {reason["code"]: reason for reason in second["reasons"]}
    assert codes["image_auroc_better_than_champion"]["measured"] == 1
    assert aliases(client, "hdm-plate") == {"champion": "2", "previous": "1"}
    third = retrain(ready, console, -2.0, auroc=0.9)
    assert third["outcome"] == "refuse"
    assert aliases(client, "hdm-plate") == {"champion": "2", "previous": "1", "challenger": "3"}
    decision = client.get_model_version("hdm-plate", "3").tags["hdm.decision_record"]
    worse = {r["code"]: r for r in json.loads(decision)["reasons"]}[
        "image_auroc_worse_than_champion"]
    assert (worse["measured"], worse["required"]) == (-1, -0.01)
    assert "defect_type_worse_than_champion" in decision
    assert [(v.version, v.decision, v.aliases) for v in history.versions(ready)] == [
        (3, "refuse", ("challenger",)), (2, "promote", ("champion",)),
        (1, "promote", ("previous",))]
    assert history.versions(ready)[0].image_auroc == 0.9
    assert {key: third[key] for key in ("version", "aliases")} == {
        "version": "3", "aliases": ["challenger"]}
    assert [entry["action"] for entry in noted(ready)] == ["promote", "promote", "refuse"]


def test_an_equal_model_is_held(ready, client, console):
    retrain(ready, console, 1.0)
    second = retrain(ready, console, 0.9)
    assert second["outcome"] == "hold"
    assert "no_better_than_champion" in {r["code"] for r in second["reasons"]}
    assert aliases(client, "hdm-plate") == {"champion": "1", "challenger": "2"}


def test_the_same_detector_is_held_and_not_scored_again(ready, client, console, monkeypatch):
    retrain(ready, console, 1.0)
    monkeypatch.setattr("hdm.registry.comparison.rescore", lambda *_: pytest.fail("scored again"))
    again = retrain(ready, console, 1.0)
    assert again["outcome"] == "hold"
    assert "identical_to_champion" in {r["code"] for r in again["reasons"]}
    assert aliases(client, "hdm-plate") == {"champion": "1", "challenger": "2"}


def test_another_operating_point_is_another_model(ready, client, console):
    retrain(ready, console, 1.0)
    write_json(ready.stage_folder("evaluate") / "operating_point.json", {"threshold": 0.4})
    second = retrain(ready, console, 1.0)
    assert "identical_to_champion" not in {r["code"] for r in second["reasons"]}


def test_a_packaged_model_that_judges_as_evaluated_is_promoted(packaged, console):
    receipt = retrain(packaged, console, 1.0)
    assert receipt["outcome"] == "promote"
    found = {reason["code"]: reason for reason in receipt["reasons"]}
    assert found["packaged_model_agrees"]["measured"] <= 1e-6
    assert found["latency_measured"]["measured"] > 0


def test_a_packaged_model_that_judges_otherwise_is_refused(packaged, client, console):
    write_detector(packaged, 1.0)
    write_metrics(packaged)
    write_scores(packaged, error=0.1)
    with stage_run(packaged, "register", {}) as run:
        register.run(packaged, packaged.params, run, console)
    receipt = read_json(history.receipt_file(packaged))
    assert receipt["outcome"] == "refuse"
    assert "packaged_model_disagrees" in {r["code"] for r in receipt["reasons"]}
    assert "champion" not in aliases(client, "hdm-plate")


def test_a_champion_whose_files_are_gone_holds(ready, client, console):
    retrain(ready, console, -1.0, auroc=0.9)
    shutil.rmtree(ready.project / "mlruns")
    second = retrain(ready, console, 1.0)
    assert second["outcome"] == "hold"
    assert "champion_not_measured" in {r["code"] for r in second["reasons"]}
    assert "cannot be scored" in console.file.getvalue()
    assert aliases(client, "hdm-plate")["champion"] == "1"


def test_killed_after_the_version_was_made_the_same_command_finishes(
        ready, client, console, monkeypatch):
    """And by then its files are on the disk: the power may have gone."""
    synced = set()

    def killed(*_):
        raise KeyboardInterrupt
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda number: synced.add(os.fstat(number).st_ino))
        patch.setattr(register, "carry_out", killed)
        with pytest.raises(KeyboardInterrupt):
            retrain(ready, console, 1.0)
    models = list((ready.project / "mlruns").rglob("models/*/artifacts/**/*"))
    assert models and {path.stat().st_ino for path in models} <= synced
    assert not history.receipt_file(ready).exists()
    receipt = retrain(ready, console, 1.0)
    assert receipt["version"] == "1"
    assert aliases(client, "hdm-plate") == {"champion": "1"}
    assert client.get_run(receipt["run_id"]).info.status == "FINISHED"


def test_a_refusing_registry_is_one_sentence_and_leaves_the_receipt(ready, console, monkeypatch):
    from mlflow.exceptions import MlflowException

    retrain(ready, console, 1.0)
    before = history.receipt_file(ready).read_bytes()

    def refuse(*_):
        raise MlflowException("disk quota exceeded\nmore")
    monkeypatch.setattr(register, "register_version", refuse)
    with pytest.raises(RegistryError, match="refused to register hdm-plate: disk quota exceeded"):
        retrain(ready, console, 2.0)
    assert history.receipt_file(ready).read_bytes() == before
    assert RETRAIN in read_ledger(ready)


def test_a_model_that_does_not_predict_is_not_registered(ready, client, console):
    write_detector(ready, "three")
    write_metrics(ready)
    with pytest.raises(RegistryError, match="does not predict"), \
            stage_run(ready, "register", {}) as run:
        register.run(ready, ready.params, run, console)
    assert history.versions(ready) == []
    assert client.get_run(run.run_id).info.status == "FAILED"


def test_without_tracking_the_decision_is_still_made(tmp_path, console, monkeypatch):
    monkeypatch.setenv("HDM_TRACKING", "off")
    line = make_line(tmp_path)
    write_images(line)
    receipt = retrain(line, console, 1.0, auroc=0.1)
    assert (receipt["outcome"], receipt["version"]) == ("refuse", None)
    assert "HDM_TRACKING is off" in console.file.getvalue()
    assert not (tmp_path / "mlflow.db").exists()
    assert history.versions(line) == []


def test_a_missing_evaluation_is_named(line, console):
    with pytest.raises(HDMError, match=r"metrics\.json"), stage_run(line, "register", {}) as run:
        register.run(line, line.params, run, console)


def test_links_into_another_store_are_marked(ready, client, console):
    with ledger.edit_ledger(ready) as links:
        links["ingest"] = ledger.Link("abc", "9@9")
    receipt = retrain(ready, console, 1.0)
    tags = client.get_run(receipt["run_id"]).data.tags
    assert tags["stage.ingest"] == "abc (in another store)"
