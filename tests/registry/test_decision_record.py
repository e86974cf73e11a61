"""The decision record: tags and JSON."""

import dataclasses
import json

from registry_lines import decided as context

from hdm.evaluation.paired import Difference
from hdm.registry.decision_record import environment
from hdm.registry.gate import gate
from hdm.registry.model_versions import FINGERPRINT, RETRAIN_RUN


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


def test_without_champion(tmp_path):
    first = context(tmp_path, champion=False)
    assert first.as_dict()["champion_before"] is None
    assert "hdm.champion_before" not in first.tags("run1")


def test_record_is_json(tmp_path):
    content = json.loads(json.dumps(context(tmp_path).as_dict()))
    assert content["champion_before"]["metrics"]["image_auroc"] == 0.85
    assert content["outcome"] == "promote" and content["test_set"] == "test-1234"
    assert content["differences"][0]["low"] == 0.02 and content["packaged"] is None


def test_environment_lists_distributions():
    lines = environment().splitlines()
    assert any(line.lower().startswith("mlflow==") for line in lines)
    assert lines == sorted(lines, key=str.lower)
