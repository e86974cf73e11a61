"""The gate as a table: evidence in, verdict and reason codes out."""

import dataclasses
import json

import pytest

from hdm.evaluation.paired import Difference
from hdm.registry.gate import GateEvidence, Packaged, gate
from hdm.settings import Register

SETTINGS = Register(minimum_image_auroc=0.8, minimum_pixel_auroc=0.7, tolerance=0.01)


def auroc(image=None, pixel=None):
    return {"image_auroc": image, "pixel_auroc": pixel}


def beside(image=None, pixel=None, cost=None, types=(), metrics=None, **more):
    """A challenger beside a measured champion; each triple is (difference, low, high)."""
    given = {"image_auroc": image, "pixel_auroc": pixel, "cost": cost}
    found = [Difference(name, 0.9 + three[0], 0.9, *three) for name, three in given.items()
             if three]
    found += [Difference("image_auroc", 0.9 + three[0], 0.9, *three, kind, 9)
              for kind, three in types]
    return GateEvidence(metrics or auroc(0.9, 0.9), "measured", tuple(found), **more)


MEETS = {"image_auroc_meets_minimum", "pixel_auroc_meets_minimum"}


@pytest.mark.parametrize(("evidence", "outcome", "codes"), [
    (GateEvidence(auroc(0.9, 0.9)), "promote", MEETS | {"no_champion"}),
    (GateEvidence(auroc(0.8, 0.7)), "promote", MEETS | {"no_champion"}),
    (GateEvidence(auroc(0.7999, 0.9)), "refuse",
     {"image_auroc_below_minimum", "pixel_auroc_meets_minimum", "no_champion"}),
    (GateEvidence(auroc(0.9, 0.69)), "refuse",
     {"image_auroc_meets_minimum", "pixel_auroc_below_minimum", "no_champion"}),
    (GateEvidence(auroc(0.9)), "promote",
     {"image_auroc_meets_minimum", "no_pixel_auroc", "no_champion"}),
    # The same model once more: nothing to gain.
    (GateEvidence(auroc(0.9, 0.9), "identical"), "hold", MEETS | {"identical_to_champion"}),
    # A champion that could not be scored: a person decides, unless the model is bad anyway.
    (GateEvidence(auroc(0.9, 0.9), "unmeasured"), "hold", MEETS | {"champion_not_measured"}),
    (GateEvidence(auroc(0.7, 0.9), "unmeasured"), "refuse", {
        "image_auroc_below_minimum", "pixel_auroc_meets_minimum", "champion_not_measured"}),
    # A line without defects: nothing can be proven.
    (GateEvidence(auroc()), "promote", {"first_model_unproven", "no_pixel_auroc", "no_champion"}),
    (GateEvidence(auroc(), "measured"), "hold", {"quality_unproven", "no_pixel_auroc"}),
    (GateEvidence({}, "unmeasured"), "hold",
     {"quality_unproven", "no_pixel_auroc", "champion_not_measured"}),
])
def test_without_comparison(evidence, outcome, codes):
    decision = gate(evidence, SETTINGS)
    assert decision.outcome == outcome
    assert {reason.code for reason in decision.reasons} == codes


@pytest.mark.parametrize(("evidence", "outcome", "codes"), [
    (beside(image=(0.03, 0.01, 0.05)), "promote", {"image_auroc_better_than_champion"}),
    (beside(image=(0.0, 0.0, 0.0)), "hold",
     {"image_auroc_equal_to_champion", "no_better_than_champion"}),
    (beside(image=(0.0, -0.5, 0.5)), "hold",
     {"image_auroc_equal_to_champion", "no_better_than_champion"}),
    (beside(image=(0.0, -0.005, 0.01), pixel=(0.02, 0.001, 0.04)), "promote",
     {"image_auroc_equal_to_champion", "pixel_auroc_better_than_champion"}),
    (beside(image=(0.0, 0.0, 0.0), cost=(0.1, 0.02, 0.2)), "promote",
     {"image_auroc_equal_to_champion", "cost_better_than_champion"}),
    # A point estimate beyond the tolerance is a doubt: held, also beside a gain.
    (beside(image=(-0.0101, -0.05, 0.03)), "hold",
     {"image_auroc_maybe_worse_than_champion", "no_better_than_champion"}),
    (beside(image=(0.05, 0.02, 0.08), pixel=(-0.02, -0.06, 0.02)), "hold",
     {"image_auroc_better_than_champion", "pixel_auroc_maybe_worse_than_champion"}),
    # Proven: the upper bound is below the tolerance, of whatever metric.
    (beside(image=(-0.03, -0.05, -0.0101)), "refuse",
     {"image_auroc_worse_than_champion", "no_better_than_champion"}),
    (beside(image=(-0.03, -0.05, -0.01)), "hold",
     {"image_auroc_maybe_worse_than_champion", "no_better_than_champion"}),
    (beside(image=(0.05, 0.02, 0.08), pixel=(-0.02, -0.03, -0.015)), "refuse",
     {"image_auroc_better_than_champion", "pixel_auroc_worse_than_champion"}),
    (beside(image=(0.05, 0.02, 0.08), cost=(-0.2, -0.3, -0.1)), "refuse",
     {"image_auroc_better_than_champion", "cost_worse_than_champion"}),
    # Better on the whole, and one kind of defect paid for it: proven, in doubt, or not so.
    (beside(image=(0.05, 0.02, 0.08), types=[("crack", (-0.2, -0.3, -0.06)),
                                             ("dent", (0.2, 0.1, 0.3))]), "refuse",
     {"image_auroc_better_than_champion", "defect_type_worse_than_champion"}),
    (beside(image=(0.05, 0.02, 0.08), types=[("crack", (-0.06, -0.3, 0.1))]), "hold",
     {"image_auroc_better_than_champion", "defect_type_maybe_worse_than_champion"}),
    (beside(image=(0.05, 0.02, 0.08), types=[("crack", (-0.05, -0.3, 0.1))]), "promote",
     {"image_auroc_better_than_champion"}),
])
def test_beside_a_champion(evidence, outcome, codes):
    decision = gate(evidence, SETTINGS)
    assert decision.outcome == outcome
    assert {reason.code for reason in decision.reasons} - MEETS == codes


@pytest.mark.parametrize(("packaged", "limit", "outcome", "code"), [
    (Packaged(8, 1e-6, 0, 12.0), None, "promote", "packaged_model_agrees"),
    (Packaged(8, 0.01, 0, 12.0), None, "refuse", "packaged_model_disagrees"),
    (Packaged(8, 0.0, 1, 12.0), None, "refuse", "packaged_model_disagrees"),
    (Packaged(8, 0.0, 0, 12.0), 20.0, "promote", "latency_measured"),
    (Packaged(8, 0.0, 0, 21.0), 20.0, "refuse", "too_slow")])
def test_packaged_model(packaged, limit, outcome, code):
    settings = SETTINGS.model_copy(update={"latency_ms": limit})
    decision = gate(GateEvidence(auroc(0.9, 0.9), packaged=packaged), settings)
    assert decision.outcome == outcome
    assert code in {reason.code for reason in decision.reasons}


def test_approval_holds_what_would_be_promoted_and_nothing_else():
    settings = SETTINGS.model_copy(update={"approval": True})
    decision = gate(beside(image=(0.03, 0.01, 0.05)), settings)
    assert decision.outcome == "hold" and decision.reasons[-1].code == "needs_approval"
    refused = gate(beside(image=(-0.5, -0.6, -0.4)), settings)
    assert refused.outcome == "refuse"
    assert "needs_approval" not in {reason.code for reason in refused.reasons}
    assert gate(GateEvidence(auroc(0.9, 0.9)), settings).outcome == "promote"


def test_every_reason_has_its_numbers_and_a_sentence():
    decision = gate(beside(image=(-0.05, -0.08, -0.02), metrics=auroc(0.75, 0.9)), SETTINGS)
    by_code = {reason.code: reason for reason in decision.reasons}
    low = by_code["image_auroc_below_minimum"]
    assert (low.measured, low.required) == (0.75, 0.8)
    assert low.sentence == "The image AUROC of 0.7500 is below the required 0.8000."
    worse = by_code["image_auroc_worse_than_champion"]
    assert (worse.measured, worse.required) == (-0.02, -0.01)
    assert "-0.0500 in favour, at 95% confidence between -0.0800 and -0.0200: worse by more than " \
           "the tolerance of 0.0100." in worse.sentence
    assert all(reason.sentence.endswith(".") for reason in decision.reasons)


def test_a_tie_in_the_last_bit_is_no_loss():
    settings = Register(minimum_image_auroc=0, minimum_pixel_auroc=0, tolerance=0.1)
    loss = 0.7 - 0.8  # below -0.1 in floats
    found = gate(beside(image=(loss, loss, loss), cost=(0.1, 0.05, 0.2)), settings)
    assert found.outcome == "promote"


@pytest.mark.parametrize(("evidence", "deciding"), [
    (GateEvidence(auroc(0.9, 0.9)), {"no_champion"}),
    (GateEvidence(auroc(0.7, 0.9)), {"image_auroc_below_minimum"}),
    (beside(image=(0.0, -0.1, 0.1)), {"no_better_than_champion"}),
    (beside(image=(0.2, 0.1, 0.3)), {"image_auroc_better_than_champion"}),
    (beside(image=(-0.2, -0.3, -0.1)), {"image_auroc_worse_than_champion"})])
def test_it_can_say_what_decided(evidence, deciding):
    assert {reason.code for reason in gate(evidence, SETTINGS).deciding} == deciding


EQUAL = {"image": (0.0, -0.1, 0.1)}


@pytest.mark.parametrize(("evidence", "outcome", "code"), [
    (beside(**EQUAL, newer_data=True), "promote", "equal_on_newer_data"),
    (beside(**EQUAL), "hold", "equal_on_the_same_data"),
    (beside(image=(-0.02, -0.1, 0.1), newer_data=True), "hold", "equal_on_newer_data"),
    (beside(image=(-0.2, -0.3, -0.1), newer_data=True), "refuse", "equal_on_newer_data"),
    (beside(image=(0.2, 0.1, 0.3)), "promote", "image_auroc_better_than_champion")])
def test_equals_are_promoted_only_on_newer_data_and_without_a_doubt(evidence, outcome, code):
    settings = SETTINGS.model_copy(update={"promote_equal": True})
    decision = gate(evidence, settings)
    assert decision.outcome == outcome
    assert code in {reason.code for reason in decision.reasons}


def test_decision_is_frozen_and_json_able():
    decision = gate(GateEvidence(auroc(0.9)), SETTINGS)
    assert json.loads(json.dumps(decision.as_dict()))["outcome"] == "promote"
    with pytest.raises(dataclasses.FrozenInstanceError):
        decision.outcome = "refuse"
