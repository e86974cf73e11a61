"""The gate as a table: numbers in, verdict and reason codes out."""

import dataclasses
import json

import pytest

from hdm.registry.gate import gate
from hdm.settings import Register

SETTINGS = Register(minimum_image_auroc=0.8, minimum_pixel_auroc=0.7, tolerance=0.01)


def auroc(image=None, pixel=None):
    return {"image_auroc": image, "pixel_auroc": pixel}


MEETS = {"image_auroc_meets_minimum", "pixel_auroc_meets_minimum"}
NOT_WORSE = {"image_auroc_not_worse_than_champion", "pixel_auroc_not_worse_than_champion"}


@pytest.mark.parametrize(("challenger", "champion", "outcome", "codes"), [
    (auroc(0.9, 0.9), None, "promote", MEETS | {"no_champion"}),
    (auroc(0.8, 0.7), None, "promote", MEETS | {"no_champion"}),
    (auroc(0.7999, 0.9), None, "refuse",
     {"image_auroc_below_minimum", "pixel_auroc_meets_minimum", "no_champion"}),
    (auroc(0.9, 0.69), None, "refuse",
     {"image_auroc_meets_minimum", "pixel_auroc_below_minimum", "no_champion"}),
    (auroc(0.9), None, "promote", {"image_auroc_meets_minimum", "no_pixel_auroc", "no_champion"}),
    (auroc(0.9, 0.9), auroc(0.9, 0.9), "promote", MEETS | NOT_WORSE),
    (auroc(0.89, 0.89), auroc(0.9, 0.9), "promote", MEETS | NOT_WORSE),
    (auroc(0.8899, 0.9), auroc(0.9, 0.9), "refuse", MEETS | {
        "image_auroc_worse_than_champion", "pixel_auroc_not_worse_than_champion"}),
    (auroc(0.95, 0.85), auroc(0.9, 0.9), "refuse", MEETS | {
        "image_auroc_not_worse_than_champion", "pixel_auroc_worse_than_champion"}),
    (auroc(0.95), auroc(0.9), "promote", {
        "image_auroc_meets_minimum", "no_pixel_auroc", "image_auroc_not_worse_than_champion"}),
    (auroc(0.7), auroc(0.6), "refuse", {
        "image_auroc_below_minimum", "no_pixel_auroc", "image_auroc_not_worse_than_champion"}),
    # A champion that could not be scored: a person decides, unless the model is bad anyway.
    (auroc(0.9, 0.9), {}, "hold", MEETS | {"champion_not_measured"}),
    (auroc(0.7, 0.9), {}, "refuse", {
        "image_auroc_below_minimum", "pixel_auroc_meets_minimum", "champion_not_measured"}),
    # A line without defects: nothing can be proven.
    (auroc(), None, "promote", {"first_model_unproven", "no_pixel_auroc", "no_champion"}),
    (auroc(), auroc(), "hold", {"quality_unproven", "no_pixel_auroc"}),
    ({}, {}, "hold", {"quality_unproven", "no_pixel_auroc"}),
])
def test_verdict_and_codes(challenger, champion, outcome, codes):
    decision = gate(challenger, champion, SETTINGS)
    assert decision.outcome == outcome
    assert {reason.code for reason in decision.reasons} == codes


def test_every_reason_has_its_numbers_and_a_sentence():
    decision = gate(auroc(0.75, 0.9), auroc(0.9, 0.5), SETTINGS)
    by_code = {reason.code: reason for reason in decision.reasons}
    low = by_code["image_auroc_below_minimum"]
    assert (low.measured, low.required) == (0.75, 0.8)
    assert low.sentence == "The image AUROC of 0.7500 is below the required 0.8000."
    worse = by_code["image_auroc_worse_than_champion"]
    assert worse.measured == 0.75
    assert worse.required == pytest.approx(0.89)
    assert all(reason.sentence.endswith(".") for reason in decision.reasons)


def test_a_tie_in_the_last_bit_is_no_loss():
    settings = Register(minimum_image_auroc=0, minimum_pixel_auroc=0, tolerance=0.1)
    assert gate(auroc(0.7), auroc(0.8), settings).outcome == "promote"  # 0.8 - 0.1 > 0.7 in floats


def test_decision_is_frozen_and_json_able():
    decision = gate(auroc(0.9), None, SETTINGS)
    assert json.loads(json.dumps(decision.as_dict()))["outcome"] == "promote"
    with pytest.raises(dataclasses.FrozenInstanceError):
        decision.outcome = "refuse"
