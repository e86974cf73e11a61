"""Sentences and tables say what the figures say."""

from dataclasses import replace

import pandas as pd
import pytest

from hdm.evaluation.bootstrap import Interval
from hdm.evaluation.evaluation import evaluate
from hdm.evaluation.percent import fraction, percent
from hdm.report.detection_tables import type_table
from hdm.report.metric_tables import funnel_tables, table_of
from hdm.report.wording import (
    ThresholdFacts,
    figures,
    range_text,
    remarks,
    threshold_text,
    too_many_alarms,
    verdict,
)

FACTS = ThresholdFacts(0.05, 60, 1 / 61, True)


@pytest.fixture
def evaluation(shared_split, settings):
    return evaluate(shared_split.manifest, shared_split.ordered(), settings)


def test_verdict_names_what_was_caught_and_what_was_asked_for(evaluation):
    status, text = verdict(evaluation, FACTS)
    assert status == "neutral"  # one escape; one alarm of four is no surprise at 5 %
    assert text == ("At the calibrated threshold 0.5 the detector stops 4 of 5 defective parts "
                    "and raises 1 false alarm on 4 good parts (25 %; 5 % was asked for). The worst "
                    "type of defect is scratch: 2 of 3 stopped.")


def test_verdict_warns_of_more_alarms_than_chance_explains(builder, settings):
    for n in range(20):
        builder.add(f"g{n}", "good", 0.9 if n < 8 else 0.1)
    builder.add("d", "dent", 0.9)
    split = builder.build()
    status, text = verdict(evaluate(split.manifest, split.ordered(), settings), FACTS)
    assert status == "warn"
    assert "more than chance explains" in text


def test_a_threshold_from_few_images_explains_more_alarms(builder, settings):
    """5 of 20 are rare for a rate of exactly 5 %, but not for a threshold set on 20 images.

    With the 20th of 20 scores as threshold, P(at least 5 of 20) = C(35, 15) / C(40, 20) = 0.024.
    """
    for n in range(20):
        builder.add(f"g{n}", "good", 0.9 if n < 5 else 0.1)
    split = builder.build()
    found = evaluate(split.manifest, split.ordered(), settings)
    assert not too_many_alarms(found, ThresholdFacts(0.05, 20, 1 / 21, True))
    assert too_many_alarms(found, ThresholdFacts(0.05, 2000, 1 / 2001, True))


def test_verdict_without_defects_and_without_escapes(builder, settings):
    builder.add("a", "good", 0.1).add("b", "good", 0.2)
    split = builder.build()
    status, text = verdict(evaluate(split.manifest, split.ordered(), settings), FACTS)
    assert status == "neutral"
    assert "no defective test images" in text
    split = builder.add("c", "dent", 0.9).build()
    assert verdict(evaluate(split.manifest, split.ordered(), settings), FACTS)[0] == "good"


def test_figures_explain_themselves_or_say_why_not(evaluation, builder, settings):
    shown = {figure.label: figure for figure in figures(evaluation, 0.95)}
    assert shown["Image AUROC"].value == "0.950"
    assert shown["Image AUROC"].interval.startswith("95 % interval 0.")
    assert "95 % of all pairs" in shown["Image AUROC"].meaning
    assert shown["False alarms at the threshold"].value == "25 %"
    # The exact upper limit for 1 of 4 is 80.6 %.
    assert "up to 80.6 %" in shown["False alarms at the threshold"].meaning
    builder.rows.clear()
    split = builder.add("z", "good", 0.1).build()
    bare = figures(evaluate(split.manifest, split.ordered(), settings), 0.95)
    assert bare[0].value == "–"
    assert bare[0].meaning == "Not available: the test split has no defective images."


def test_threshold_text():
    certified, note = threshold_text(replace(FACTS, promise="Kept."), 0.5)
    assert "60 good images that were held out" in certified
    assert "so that at most 5 % of good parts" in certified
    assert note == "Kept."
    few = ThresholdFacts(0.01, 40, 1 / 21, False, parts=20, promise="Few.", picture_rate=0.031)
    first, note = threshold_text(few, 0.5)
    assert "40 good images of 20 parts" in first and "as near to 1 % of good parts" in first
    assert note == "Few. Of single pictures, at most 3.1 % with a false alarm are expected."


@pytest.mark.parametrize(("pictures", "surprising"), [(1, True), (4, False)])
def test_alarms_on_many_pictures_of_one_part_are_one_alarm(builder, settings, pictures, surprising):
    """Eight alarms on twenty parts are no chance; on two parts of four pictures they may be."""
    for n in range(20 * pictures):
        builder.add(f"g{n}", "good", 0.9 if n < 8 else 0.1, group=f"part {n // pictures}")
    split = builder.build()
    found = evaluate(split.manifest, split.ordered(), settings)
    assert too_many_alarms(found, FACTS) is surprising


def test_type_table(evaluation):
    table = type_table(evaluation.by_type, 0.95)
    assert [row[0] for row in table.rows] == ["dent", "scratch"]
    assert table.rows[0][5] == "1.000"  # an interval without width is left out
    assert table.rows[0][6] == "–"
    assert "\n" in table.rows[1][5]
    # Exact intervals of 2 of 2 and 2 of 3; never green where a defect escapes.
    assert table.rows[0][1] == "100 %\n15.8 % to 100 %" and table.rows[0][2] == "2 of 2"
    assert table.rows[1][1] == "66.7 %\n9.4 % to 99.2 %" and table.rows[1][2] == "2 of 3"
    assert table.verdicts == ("right", "wrong")
    assert "2 defective images have no mask" in table.note
    assert type_table(pd.DataFrame(), 0.95) is None


def test_precision_without_alarms_is_remarked_on(builder, settings):
    split = builder.add("a", "good", 0.1).add("b", "dent", 0.2).build()
    found = evaluate(split.manifest, split.ordered(), settings)
    assert remarks(found)[0] == "Precision is not available: no image was called defective."


def test_intervals_without_width_are_not_shown_but_remarked_on(evaluation):
    assert range_text(Interval(1.0, 1.0), 0.95, fraction) == ""
    assert range_text(Interval(None, None, "why"), 0.95, fraction) == ""
    assert range_text(Interval(0.9, 0.95), 0.9, percent) == "90 % interval 90 % to 95 %"
    evaluation.intervals["recall"] = Interval(1.0, 1.0)
    assert "limit of the bootstrap" in remarks(evaluation)[-1]


@pytest.mark.parametrize(("value", "text"), [
    (None, "–"), (float("nan"), "–"), (1.0, "1.000"), (0.99999, "0.999+"), (0.9876, "0.988")])
def test_fraction(value, text):
    assert fraction(value) == text


@pytest.mark.parametrize(("value", "text"), [
    (None, "–"), (1.0, "100 %"), (0.99999, "99.9+ %"), (0.0512, "5.1 %"), (0.0, "0 %")])
def test_percent(value, text):
    assert percent(value) == text


def test_funnel_tables():
    funnel = {"candidates": 10, "gap_floor": 0.1,
              "reasons": {"kept": {"count": 6, "meaning": "trained on"},
                          "redundant": {"count": 1, "meaning": "very like another"},
                          "undetectable": {"count": 3, "meaning": "no better than chance"}},
              "by_source": {"cut_paste": {"kept": 4, "redundant": 1},
                            "procedural": {"kept": 2, "undetectable": 3}},
              "shares": {"cut_paste": 2 / 3, "procedural": 1 / 3}}
    whole, by_source = funnel_tables(funnel)
    assert whole.rows == (("candidates", "10", "100 %"),
                          ("undetectable: no better than chance", "3", "30 %"),
                          ("redundant: very like another", "1", "10 %"),
                          ("kept: trained on", "6", "60 %"))
    assert by_source.columns == ("source", "undetectable", "redundant", "kept",
                                 "share of training")
    assert by_source.rows == (("cut paste", "0", "1", "4", "66.7 %"),
                              ("procedural", "3", "0", "2", "33.3 %"))


@pytest.mark.parametrize("content", [None, {}, [], "text", 3, [1, 2]])
def test_what_is_no_table_is_left_out(content):
    assert table_of("x", content) is None
    assert funnel_tables(content) == ()


def test_table_of_records_mappings_and_values():
    splits = table_of("Splits", {"test": {"defect": 2, "good": 1}, "train": {"good": 9000}})
    assert splits.columns == ("", "good", "defect")
    assert splits.rows == (("train", "9,000", "–"), ("test", "1", "2"))
    records = table_of("", [{"images": 3, "split": "train", "grouped": True, "share": 0.123456}])
    assert records.columns == ("split", "images", "grouped", "share")
    assert records.rows == (("train", "3", "yes", "0.1235"),)
    assert table_of("", {"kept_share": 0.5, "why": "x"}).rows == (("kept share", "0.5"),
                                                                  ("why", "x"))
