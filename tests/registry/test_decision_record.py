"""The decision record: tags and markdown."""

import dataclasses
import json

from registry_lines import make_line

from hdm.evaluation.paired import Difference
from hdm.registry.decision_record import DecisionRecord, environment
from hdm.registry.gate import GateEvidence, gate
from hdm.registry.model_versions import FINGERPRINT, RETRAIN_RUN, Champion


def context(tmp_path, champion=True):
    line = make_line(tmp_path, minimum_image_auroc=0.8)
    ours = {"image_auroc": 0.91234, "pixel_auroc": None, "threshold": 1.5}
    theirs = {"image_auroc": 0.85, "pixel_auroc": None} if champion else None
    found = (Difference("image_auroc", 0.91234, 0.85, 0.06234, 0.02, 0.1),)
    evidence = GateEvidence(ours, "measured", found) if champion else GateEvidence(ours)
    return DecisionRecord(line, line.params.register_, evidence,
                          gate(evidence, line.params.register_), "f" * 64, "d" * 64,
                   "c" * 40, Champion("4", "e" * 64) if champion else None, theirs, "test-1234")


def test_tags_hold_the_decision_and_its_evidence(tmp_path):
    tags = context(tmp_path).tags("run1")
    assert tags["hdm.decision"] == "promote"
    assert "image_auroc_meets_minimum, no_pixel_auroc" in tags["hdm.reasons"]
    assert json.loads(tags["hdm.decision_record"])["reasons"][0]["required"] == 0.8
    assert (tags[FINGERPRINT], tags[RETRAIN_RUN]) == ("f" * 64, "run1")
    assert (tags["hdm.image_auroc"], tags["hdm.champion_before"]) == ("0.91234", "4")
    assert "hdm.pixel_auroc" not in tags
    assert all(tags.values())


def test_a_long_decision_still_fits_its_tag_and_says_what_decided(tmp_path):
    record = context(tmp_path)
    many = tuple(Difference("image_auroc", 0.5, 0.9, -0.4, -0.5, -0.3, f"kind {n}", 9)
                 for n in range(60))
    evidence = dataclasses.replace(record.evidence, differences=(
        *many, Difference("cost", 0.1, 0.1, 0.0, -0.1, 0.1)))
    decision = gate(evidence, record.settings)
    text = dataclasses.replace(record, evidence=evidence, decision=decision).tags("r")[
        "hdm.decision_record"]
    kept = json.loads(text)
    assert kept["outcome"] == "refuse" and len(text) <= 4900 < len(json.dumps(decision.as_dict()))
    assert {reason["code"] for reason in kept["reasons"]} == {"defect_type_worse_than_champion"}


def test_description_has_the_table_and_the_way_to_the_run(tmp_path):
    text = context(tmp_path).description("#/experiments/1/runs/abc")
    assert "| image AUROC | 0.9123 | 0.8500 | 0.8000 |" in text
    assert "| pixel AUROC | – | – | 0.8000 |" in text
    assert "champion before (v4)" in text
    assert "[retrain run](#/experiments/1/runs/abc)" in text
    assert "test set `test-1234` · data `dddddddddddd`" in text
    assert len(text) < 5000


def test_without_champion(tmp_path):
    first = context(tmp_path, champion=False)
    assert first.as_dict()["champion_before"] is None
    assert "hdm.champion_before" not in first.tags("run1")
    assert "| image AUROC | 0.9123 | – | 0.8000 |" in first.description("#")


def test_record_is_json(tmp_path):
    content = json.loads(json.dumps(context(tmp_path).as_dict()))
    assert content["champion_before"]["metrics"]["image_auroc"] == 0.85
    assert content["outcome"] == "promote" and content["test_set"] == "test-1234"
    assert content["differences"][0]["low"] == 0.02 and content["packaged"] is None


def test_environment_lists_distributions():
    lines = environment().splitlines()
    assert any(line.lower().startswith("mlflow==") for line in lines)
    assert lines == sorted(lines, key=str.lower)
