"""The data sets behind a model's metrics, and where it came from, as a real store keeps them."""

import hashlib
import json

import pytest
from registry_lines import retrain

from hdm.config import STAGES
from hdm.registry.lineage import lineage_tags


@pytest.fixture
def made(ready, client, console):
    """The run and the logged model of a first retraining."""
    receipt = retrain(ready, console, 1.0)
    run = client.get_run(receipt["run_id"])
    [model] = client.search_logged_models([run.info.experiment_id])
    return run, model, client.get_model_version("hdm-plate", receipt["version"])


def test_every_metric_of_the_model_names_the_images_that_it_is_from(made):
    run, model, _ = made
    found = {metric.key: metric.dataset_name for metric in model.metrics}
    assert found["image_auroc"] == "plate test"
    assert found["threshold"] == "plate calibration"
    used = {tag.value: data.dataset.name for data in run.inputs.dataset_inputs
            for tag in data.tags if tag.key == "mlflow.data.context"}
    assert used == {"training": "plate train", "calibration": "plate calibration",
                    "evaluation": "plate test"}
    assert {json.loads(data.dataset.source)["uri"] for data in run.inputs.dataset_inputs} == {"raw"}
    assert len({data.dataset.digest for data in run.inputs.dataset_inputs}) > 1


def test_the_model_has_its_settings_and_the_run_names_its_version(made):
    run, model, version = made
    assert model.params["register.minimum_recall"] == "0.7"
    assert run.data.metrics["image_auroc"] == 1.0
    assert "hdm-plate version 1" in run.data.tags["mlflow.note.content"]
    assert "models/hdm-plate/versions/1" in run.data.tags["mlflow.note.content"]
    assert "hdm reproduce models:/hdm-plate/1" in version.description


def test_a_version_names_the_outputs_that_dvc_recorded(ready, made):
    _, _, version = made
    outputs = json.loads(version.tags["hdm.dvc_outputs"])
    assert set(outputs) == {"ddm_train", "evaluate"}
    assert outputs["ddm_train"].endswith(".dir")
    metrics = (ready.stage_folder("evaluate") / "metrics.json").read_bytes()
    assert outputs["evaluate"] == hashlib.md5(metrics).hexdigest()
    lock = hashlib.sha256((ready.project / "dvc.lock").read_bytes()).hexdigest()
    assert version.tags["hdm.dvc_lock"] == lock


def test_without_a_lock_nothing_is_said_of_it(line):
    assert lineage_tags(line, STAGES) == {}
