"""ddm_train learns what people said, and from nothing else; DVC sees each word."""

import numpy as np
import pytest
from trained import copy_of, digests, tell

from hdm.config import stage_settings
from hdm.dataset.feedback_entries import entries_in, mask_hash
from hdm.detector.detector import HDM
from hdm.errors import ConfigError, DataError
from hdm.feedback.saying import keep
from hdm.files import read_json
from hdm.stages.runner import run_stage

pytestmark = pytest.mark.usefixtures("no_tracking")


@pytest.fixture
def line(finished, tmp_path):
    return copy_of(finished, tmp_path)


def learn(line):
    run_stage("configure", "plate", line.project)
    run_stage("ddm_train", "plate", line.project)
    return HDM.load(line.detector_folder, device="cpu", threads=1).info.get("feedback")


@pytest.mark.parametrize(("defects", "alarms", "masked"), [
    (5, 2, True), (5, 0, False), (1, 0, True), (0, 3, False)])
def test_what_people_said_is_learned_and_kept_with_the_detector(line, defects, alarms, masked):
    said = [tell(line, "defect", seed, masked=masked) for seed in range(defects)]
    said += [tell(line, "good", 50 + seed) for seed in range(alarms)]
    assert learn(line) == {"defects": defects, "false_alarms": alarms}
    kept = line.stage_folder("ddm_train") / "feedback"
    assert sorted(entries_in(kept), key=lambda one: one.id) == sorted(said, key=lambda one: one.id)
    assert all((kept / entry.picture).is_file() for entry in said)
    assert not list(line.folder.glob(".work/*/*")), "resume points are gone"


def test_without_a_word_nothing_changes(line, finished):
    assert learn(line) is None
    assert digests(line) == finished[1]


def test_confirmed_defects_have_a_say_and_the_networks_stay(line, finished):
    tell(line, "defect", 1, masked=True)
    learn(line)
    now = digests(line, "ddm_train")
    told, fused = "ddm_train/detector/told.safetensors", "ddm_train/detector/evidence.safetensors"
    assert told in now and told not in finished[1] and now[fused] != finished[1][fused]
    for name in ("discriminator.safetensors", "prior/prior.safetensors"):
        assert now[f"ddm_train/detector/{name}"] == finished[1][f"ddm_train/detector/{name}"]


@pytest.mark.parametrize("change", ["added", "taken back", "drawn anew"])
def test_dvc_sees_each_word(line, change):
    first = tell(line, "defect", 1, masked=True)
    run_stage("configure", "plate", line.project)
    before = read_json(line.settings_file("ddm_train"))
    others = {stage: line.settings_file(stage).read_bytes() for stage in ("ingest", "evaluate")}
    if change == "added":
        tell(line, "good", 2)
    elif change == "taken back":
        (line.feedback / f"{first.id}.json").unlink()
    else:
        mask = np.zeros((64, 64), bool)
        mask[:4, :4] = True
        keep(line.feedback, first.model_copy(update={"mask_sha256": mask_hash(mask)}),
             np.zeros((64, 64), np.uint8), mask)
    run_stage("configure", "plate", line.project)
    assert read_json(line.settings_file("ddm_train")) != before
    assert others == {stage: line.settings_file(stage).read_bytes() for stage in others}
    assert stage_settings(line.stage_params("ddm_train"), "ddm_train").keys() == \
        before.keys() - {"feedback"}


def test_a_picture_that_is_tested_by_now_is_left_aside(line):
    entry = tell(line, "defect", 1, part="good/13.png")  # a part of the calibration split
    assert learn(line) is None
    assert entries_in(line.feedback) == [entry]


def test_pictures_come_back_from_the_last_training(line):
    entry = tell(line, "defect", 1, masked=True)
    learn(line)
    for name in (entry.picture, entry.mask):
        (line.feedback / name).unlink()
    assert learn(line) == {"defects": 1, "false_alarms": 0}
    assert (line.feedback / entry.mask).is_file()


def test_a_picture_that_is_gone_or_another_is_named(line):
    entry = tell(line, "defect", 1)
    run_stage("configure", "plate", line.project)
    (line.feedback / entry.picture).unlink()
    with pytest.raises(DataError, match=entry.id):
        run_stage("ddm_train", "plate", line.project)
    other = tell(line, "good", 2)
    run_stage("configure", "plate", line.project)
    (line.feedback / entry.picture).write_bytes((line.feedback / other.picture).read_bytes())
    with pytest.raises(DataError, match="other pixels"):
        run_stage("ddm_train", "plate", line.project)


def test_what_was_said_after_configure_waits_for_it(line):
    tell(line, "good", 1)
    run_stage("configure", "plate", line.project)
    tell(line, "good", 2)
    with pytest.raises(ConfigError, match="dvc repro"):
        run_stage("ddm_train", "plate", line.project)
