"""From good images to a calibrated detector on a tiny line: outputs, repeats, kills, refusals."""

import json
import shutil
from contextlib import contextmanager
from itertools import count
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tiny
from trained import PARAMS, TRAINING, copy_of, digests, run_all

from hdm.config import STAGES
from hdm.detector.detector import HDM
from hdm.errors import HDMError, TrainingError
from hdm.files import read_json
from hdm.stages.inputs import format_of, normals_of
from hdm.stages.runner import run_stage
from hdm.training import loop

pytestmark = pytest.mark.usefixtures("no_tracking")
PRIOR = {"prior/prior.safetensors", "prior/prior.json", "prior/backbone.safetensors"}
OUTPUTS = {
    "dagm_fit": {"input.json", *PRIOR, "quality.json", "loss.csv"},
    "dagm_synthesize": {"bank.safetensors", "bank.parquet", "sheet.png"},
    "pom_filter": {"selection.parquet", "funnel.json", "sheet.png"},
    "ddm_train": {"detector/detector.json", "detector/discriminator.safetensors",
                  "detector/evidence.safetensors", "detector/decidability.safetensors",
                  "detector/operating_point.json",
                  *(f"detector/{name}" for name in PRIOR), "calibration.json", "loss.csv"},
}


class Killed(BaseException):
    """As from a signal: nothing inside may catch it."""


@pytest.mark.parametrize("stage", TRAINING)
def test_outputs_are_there_and_nothing_else(finished, stage):
    line = finished[0]
    found = {p.relative_to(line.stage_folder(stage)).as_posix()
             for p in line.stage_folder(stage).rglob("*") if p.is_file()}
    assert found == OUTPUTS[stage]
    assert not [p for p in line.folder.rglob("*") if p.name.endswith((".tmp", ".old"))]
    assert not list(line.folder.glob(".work/*/*")), "resume points are gone"


def test_loss_curves_reach_the_last_step(finished):
    for stage, terms in (("dagm_fit", set()), ("ddm_train", {"pixel", "dice"})):
        curve = pd.read_csv(finished[0].stage_folder(stage) / "loss.csv")
        assert curve["step"].iloc[-1] == 3 and terms | {"loss"} <= set(curve.columns)
        assert np.isfinite(curve.to_numpy()).all()


def test_funnel_and_selection_agree_with_the_bank(finished):
    line = finished[0]
    selection = pd.read_parquet(line.stage_folder("pom_filter") / "selection.parquet")
    funnel = read_json(line.stage_folder("pom_filter") / "funnel.json")
    assert len(selection) == funnel["candidates"] == 20
    counts = selection["reason"].value_counts()
    assert {c: e["count"] for c, e in funnel["reasons"].items() if e["count"]} == counts.to_dict()
    bank = pd.read_parquet(line.stage_folder("dagm_synthesize") / "bank.parquet")
    assert selection["base"].tolist() == bank["base"].tolist()


def test_detector_loads_and_is_calibrated_on_held_out_images(finished):
    line = finished[0]
    detector = HDM.load(line.detector_folder, device="cpu", threads=1)
    assert detector.info["line"] == "plate" and detector.info["training_images"] == 12
    calibration = read_json(line.stage_folder("ddm_train") / "calibration.json")
    assert len(calibration["normal_scores"]) == len(calibration["appearance"]) == 2
    assert detector.calibration.smallest_rate == pytest.approx(1 / 3)
    assert detector.threshold == max(calibration["normal_scores"])
    assert not detector.operating_point.certified
    normals = normals_of(line, line.params, detector.form)
    assert len(normals.train) == 12 and len(normals.calibration) == 2
    (found,) = detector.predict([np.full((50, 70), 128, np.uint8)])
    assert found.anomaly_map.shape == (50, 70)


def test_normals_report_progress(finished):
    seen = []
    line = finished[0]
    normals_of(line, line.params, format_of(line), progress=lambda *e: seen.append(e))
    assert seen == [(i, 14) for i in range(1, 15)]


@pytest.mark.parametrize("stage", TRAINING)
def test_rerun_is_byte_identical(finished, stage, tmp_path):
    line = copy_of(finished, tmp_path)
    run_stage(stage, "plate", line.project)
    assert digests(line) == finished[1]


def test_another_seed_is_another_prior(finished, tmp_path):
    line = copy_of(finished, tmp_path)
    tiny.write_project(line.project, PARAMS | {"seed": 1})
    run_stage("configure", "plate", line.project)
    run_stage("dagm_fit", "plate", line.project)
    before = finished[1]
    weights = "dagm_fit/prior/prior.safetensors"
    assert digests(line)[weights] != before[weights]


@pytest.mark.parametrize("stage", ["dagm_fit", "ddm_train"])
def test_killed_in_training_and_run_again_ends_as_if_undisturbed(finished, stage, tmp_path,
                                                                 monkeypatch):
    line = copy_of(finished, tmp_path)
    shutil.rmtree(line.stage_folder(stage))
    # The loop's own clock, not the process's: threads of libraries wait by that one.
    clock = SimpleNamespace(monotonic=count(0, 1000).__next__)
    save = loop._save

    def save_then_die(checkpoint, step, *rest):
        save(checkpoint, step, *rest)
        if step == 2:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(loop, "time", clock)
        patch.setattr(loop, "_save", save_then_die)
        with pytest.raises(Killed):
            run_stage(stage, "plate", line.project)
    assert not line.stage_folder(stage).exists(), "nothing half-made"
    assert len(list(line.work_folder(stage).glob("*.safetensors"))) == 1
    steps = []
    generator = loop.step_generator

    def counted(seed, step, *rest):
        steps.append(step)
        return generator(seed, step, *rest)

    monkeypatch.setattr(loop, "step_generator", counted)
    run_stage(stage, "plate", line.project)
    assert steps == [2], "went on where it was killed"
    assert digests(line) == finished[1]
    assert not list(line.work_folder(stage).iterdir())


@pytest.mark.parametrize("stage", TRAINING)
def test_killed_while_writing_leaves_the_last_good_outputs(finished, stage, tmp_path, monkeypatch):
    line = copy_of(finished, tmp_path)
    module = __import__(f"hdm.stages.{stage}", fromlist=["run"])
    real = module.atomic_folder

    @contextmanager
    def dies(target):
        with real(target) as folder:
            yield folder
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(module, "atomic_folder", dies)
        with pytest.raises(Killed):
            run_stage(stage, "plate", line.project)
    assert digests(line) == finished[1]
    run_stage(stage, "plate", line.project)
    assert digests(line) == finished[1]
    assert not [p for p in line.folder.rglob("*") if p.name.endswith((".tmp", ".old"))]


def test_resume_point_of_other_settings_is_not_used(finished, tmp_path, monkeypatch):
    line = copy_of(finished, tmp_path)
    from hdm.stages.resume import checkpoint_file
    here = checkpoint_file(line, "dagm_fit", line.params, line.manifest_file)
    other = line.params.model_copy(update={"seed": 5})
    assert checkpoint_file(line, "dagm_fit", other, line.manifest_file) != here
    assert checkpoint_file(line, "dagm_fit", line.params, line.settings_file("ingest")) != here
    assert here.parent == line.work_folder("dagm_fit")


def test_without_a_backbone_the_discriminator_answers_alone(finished, tmp_path):
    line = copy_of(finished, tmp_path)
    tiny.write_project(line.project, PARAMS | {"dagm_fit": {"backbone": "none"}})
    run_stage("configure", "plate", line.project)
    run_all(line)
    assert set(digests(line, "dagm_fit")) == {"dagm_fit/input.json"}
    assert not [name for name in digests(line, "ddm_train") if "prior" in name]
    bank = "dagm_synthesize/bank.safetensors"
    assert digests(line)[bank] == finished[1][bank], "what is grown does not depend on the prior"
    (found,) = HDM.load(line.detector_folder, device="cpu", threads=1).predict(
        [np.full((64, 64), 128, np.uint8)])
    assert np.isfinite(found.score)


def test_no_sample_left_to_train_on_is_one_sentence(finished, tmp_path):
    line = copy_of(finished, tmp_path)
    file = line.stage_folder("pom_filter") / "selection.parquet"
    pd.read_parquet(file).assign(reason="undetectable", weight=0.0).to_parquet(file)
    with pytest.raises(TrainingError, match=r"none of 20 synthetic samples.*funnel\.json"):
        run_stage("ddm_train", "plate", line.project)
    assert digests(line)["ddm_train/calibration.json"] == \
        finished[1]["ddm_train/calibration.json"]


def test_missing_inputs_name_what_is_missing(finished, tmp_path):
    line = copy_of(finished, tmp_path)
    shutil.rmtree(line.stage_folder("dagm_fit"))
    for stage in ("dagm_synthesize", "pom_filter", "ddm_train"):
        with pytest.raises(HDMError, match=r"input\.json"):
            run_stage(stage, "plate", line.project)
    line.manifest_file.unlink()
    with pytest.raises(HDMError, match="manifest"):
        run_stage("dagm_fit", "plate", line.project)


def test_unknown_stage_and_line(finished):
    project = finished[0].project
    with pytest.raises(HDMError, match=r"no stage 'train'; expected one of"):
        run_stage("train", "plate", project)
    with pytest.raises(HDMError, match="no product line 'other'"):
        run_stage("dagm_fit", "other", project)


def test_configure_writes_a_file_a_stage_and_leaves_equal_ones_alone(finished, tmp_path):
    line = copy_of(finished, tmp_path)
    files = {stage: line.settings_file(stage) for stage in STAGES}
    before = {stage: file.stat().st_mtime_ns for stage, file in files.items()}
    tiny.write_project(line.project, PARAMS | {"dagm_synthesize": {"samples": 21}})
    run_stage("configure", "plate", line.project)
    changed = [stage for stage, file in files.items() if file.stat().st_mtime_ns != before[stage]]
    assert changed == ["dagm_synthesize"]
    assert json.loads(files["dagm_synthesize"].read_text())["dagm_synthesize"]["samples"] == 21
