"""What the register stage hands the gate: which data are newer, and what is stopped."""

import dataclasses

from registry_lines import (
    add_training_image,
    retrain,
    write_detection,
    write_detector,
    write_metrics,
)

from hdm.files import read_json
from hdm.registry import history
from hdm.registry.model_versions import aliases
from hdm.registry.tracking import stage_run
from hdm.stages import register


def test_an_equal_model_on_newer_images_is_promoted_where_the_line_says_so(
        ready, client, console):
    settings = ready.params.model_copy(update={
        "register_": ready.params.register_.model_copy(update={"promote_equal": True})})
    line = dataclasses.replace(ready, params=settings)
    add_training_image(line, "a" * 64)
    retrain(line, console, 1.0)
    same = retrain(line, console, 0.9)
    assert same["outcome"] == "hold"
    assert "equal_on_the_same_data" in {r["code"] for r in same["reasons"]}
    add_training_image(line, "b" * 64)
    newer = retrain(line, console, 0.95)
    assert newer["outcome"] == "promote"
    assert "equal_on_newer_data" in {r["code"] for r in newer["reasons"]}
    assert client.get_model_version("hdm-plate", "3").tags["hdm.training_images"] == "2"
    assert aliases(client, "hdm-plate")["champion"] == "3"


def test_a_first_model_that_misses_seven_of_ten_defects_is_not_promoted(ready, client, console):
    write_detector(ready, 1.0)
    write_metrics(ready)
    write_detection(ready, escapes=8)
    with stage_run(ready, "register", {}) as run:
        register.run(ready, ready.params, run, console)
    assert read_json(history.receipt_file(ready))["outcome"] == "refuse"
    assert "champion" not in aliases(client, "hdm-plate")
    assert history.versions(ready)[0].detection.defects.counts() == "4 of 12"
