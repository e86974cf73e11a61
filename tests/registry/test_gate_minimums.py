"""Recall and false alarms at the operating point: exact intervals decide, counts make doubts."""

import pytest

from hdm.evaluation.stopped_parts import count_stopped
from hdm.registry.gate import GateEvidence, gate
from hdm.settings import Register

SETTINGS = Register()
GOOD_AUROC = {"image_auroc": 0.95, "pixel_auroc": 0.95}


def counted(caught, defects, alarms, good, kinds=("scratch",), undecidable=0):
    """A test split of one picture a part; the first of each are stopped."""
    rows = [{"label": 1, "defect_type": kinds[n % len(kinds)], "group": f"d{n}",
             "decision": "defect" if n < caught else "good"} for n in range(defects)]
    rows += [{"label": 0, "defect_type": "good", "group": f"g{n}",
              "decision": "undecidable" if n < undecidable else
              "defect" if n < alarms else "good"} for n in range(good)]
    return count_stopped(rows, 0.95)


def decided(found, champion="none", **settings):
    metrics = GOOD_AUROC if found.defects.parts else {}
    return gate(GateEvidence(metrics, champion, detection=found),
                SETTINGS.model_copy(update=settings))


@pytest.mark.parametrize(("found", "outcome", "code"), [
    # Whole intervals on the wrong side: 45 of 150 is at most 38 %, 3 of 10 at most 65.2 %.
    (counted(45, 150, 2, 50), "refuse", "recall_below_minimum"),
    (counted(3, 10, 0, 20), "refuse", "recall_below_minimum"),
    (counted(46, 48, 20, 40), "refuse", "false_alarms_above_maximum"),
    # Counts only: 1 of 3 may be up to 90.6 %, 6 of 9 up to 92.5 %.
    (counted(1, 3, 0, 20), "hold", "recall_maybe_below_minimum"),
    (counted(6, 9, 0, 20), "hold", "recall_maybe_below_minimum"),
    (counted(46, 48, 9, 40), "hold", "false_alarms_maybe_above_maximum"),
    # What a usual line has, and what lies on the limits.
    (counted(46, 48, 2, 40), "promote", "recall_meets_minimum"),
    (counted(7, 10, 2, 10), "promote", "recall_meets_minimum"),
    (counted(7, 10, 2, 10), "promote", "false_alarms_within_maximum"),
    # Good parts only: the plant still gets its first model.
    (counted(0, 0, 2, 40), "promote", "false_alarms_within_maximum"),
    (counted(0, 0, 0, 10), "promote", "first_model_unproven")])
def test_first_model(found, outcome, code):
    decision = decided(found)
    assert decision.outcome == outcome
    assert code in {reason.code for reason in decision.reasons}


@pytest.mark.parametrize(("settings", "outcome"), [
    ({"minimum_recall": 0.2}, "promote"), ({"minimum_recall": 0.35}, "hold"),
    ({"minimum_recall": 0.0}, "promote"), ({"minimum_recall": 0.39}, "refuse")])
def test_a_line_states_its_own_limit(settings, outcome):
    """45 of 150 is 30 %, with 95 % confidence 22.8 to 38.0 %."""
    assert decided(counted(45, 150, 2, 50), **settings).outcome == outcome


def test_a_champion_changes_nothing_about_the_limits():
    for champion in ("identical", "unmeasured"):
        assert decided(counted(45, 150, 2, 50), champion).outcome == "refuse"


def test_the_worst_type_is_named_with_its_count():
    found = counted(8, 12, 0, 20, kinds=("dent", "crack", "dent"))  # cracks 1, 4, 7, 10
    said = {r.code: r for r in decided(found).reasons}["worst_defect_type"]
    assert said.sentence == "The worst type of defect is dent: 5 of 8 stopped."
    assert said.measured == 5 / 8


@pytest.mark.parametrize(("found", "sentence"), [
    (counted(45, 150, 2, 50), "45 of 150 defective parts are stopped (30 %) at the operating "
     "point, 95 % interval 22.8 % to 38 %: less than the required 70 %."),
    (counted(10, 10, 2, 50), "2 of 50 good parts are stopped (4 %) at the operating point, 95 % "
     "interval 0.5 % to 13.7 %: within the 20 % allowed."),
    (counted(10, 10, 2, 50, undecidable=1), "2 of 50 good parts are stopped (4 %, 1 of them as "
     "undecidable) at the operating point, 95 % interval 0.5 % to 13.7 %: within the 20 % "
     "allowed.")])
def test_sentences(found, sentence):
    assert sentence in [reason.sentence for reason in decided(found).reasons]
