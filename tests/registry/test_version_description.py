"""What a version's page says, in MLflow's own description field."""

import dataclasses

from registry_lines import decided

from hdm.evaluation.paired import Difference
from hdm.registry.gate import gate
from hdm.registry.version_description import describe


def test_it_says_what_how_good_why_from_what_and_how_to_get_it(tmp_path):
    text = describe(decided(tmp_path), "7", "1", "abc")
    assert text.startswith("**Promoted** · anomaly detector of the product line `plate`")
    assert "- The image AUROC of 0.9123" in text
    assert "| image AUROC | 0.9123 | 0.8500 | 0.8000 |" in text
    assert "| pixel AUROC | – | – | 0.8000 |" in text
    assert "champion before (v4)" in text
    assert "(#/experiments/1/runs/abc?workflowType=machine_learning)" in text
    assert "data `dddddddddddd`" in text and "test set `test-1234`" in text
    assert "hdm reproduce models:/hdm-plate/7" in text
    assert "hdm predict plate FOLDER --version 7" in text
    assert len(text) < 5000


def test_the_first_of_a_line_has_nobody_to_compare_with(tmp_path):
    text = describe(decided(tmp_path, champion=False), "1", "1", "abc")
    assert "| image AUROC | 0.9123 | – | 0.8000 |" in text
    assert "champion before (v" not in text


def test_too_many_reasons_cost_reasons_and_not_the_way_to_get_the_model(tmp_path):
    record = decided(tmp_path)
    many = tuple(Difference("image_auroc", 0.5, 0.9, -0.4, -0.5, -0.3, f"kind {n}", 9)
                 for n in range(90))
    evidence = dataclasses.replace(record.evidence, differences=many)
    text = describe(dataclasses.replace(record, evidence=evidence,
                                        decision=gate(evidence, record.settings)), "7", "1", "abc")
    assert len(text) <= 4900
    assert text.startswith("**Refused**") and "kind 1" in text
    assert text.endswith('mlflow.pyfunc.load_model("models:/hdm-plate/7")\n```')
