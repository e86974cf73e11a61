"""Drift is found, named and dated; what is no drift is not."""

import numpy as np
import pandas as pd
import pytest
from lines import POINT, calibration, rows, undecidable

from hdm.detector.operating_point import OperatingPoint
from hdm.monitoring.drift import STREAMS, Stream, _highest_false_alarm_rate, counted, watch


def streams(found: pd.DataFrame, defect_rate: float | None = 0.05, **over) -> dict[str, Stream]:
    kept = counted(found, POINT.threshold)
    seen = watch(over.pop("calibrated", calibration()), POINT, kept, 0.01, 0.02, defect_rate)
    return {stream.name: stream for stream in seen}


def after(begin: int, count: int, change: float) -> np.ndarray:
    return np.where(np.arange(count) >= begin, change, 0.0)


def test_nothing_is_said_of_an_unchanged_line() -> None:
    found = streams(rows(1_500))
    assert tuple(found) == STREAMS
    assert not any(stream.alarm or stream.says for stream in found.values())
    assert [stream.limit for stream in found.values()] == pytest.approx(
        [np.log(600)] * 4 + [np.log(1_200), np.log(600)])


@pytest.mark.parametrize(("figure", "change", "says"), [
    ("brightness", 1.2, "images have become brighter"),
    ("brightness", -1.2, "images have become darker"),
    ("contrast", -1.2, "images have become poorer in contrast"),
    ("sharpness", -1.2, "images have become blurred"),
    ("score", 1.2, "good parts score higher"),
])
def test_a_shift_is_found_named_and_dated(figure: str, change: float, says: str) -> None:
    found = streams(rows(900, **{figure: after(600, 900, change)}))
    stream = found[figure]
    assert stream.says == says
    assert 600 < stream.rows[stream.crossed] < 700
    assert abs(stream.rows[stream.began] - 600) < 25
    assert stream.level == pytest.approx(change, abs=0.7)
    others = {"score", "brightness", "contrast", "sharpness"} - {figure}
    assert not any(found[name].alarm for name in others)


@pytest.mark.parametrize(("spread", "says"), [
    (2.0, "sharpness varies more"), (0.4, "sharpness varies less")])
def test_a_spread_is_found(spread: float, says: str) -> None:
    found = rows(900)
    found.loc[500:, "sharpness"] *= spread
    assert streams(found)["sharpness"].says == says


def test_more_defects_than_expected() -> None:
    found = rows(900)
    found.loc[400::3, "score"] = 5.0
    told = streams(found)["defects"]
    assert told.says == "more parts are called defects"
    assert told.expected == pytest.approx(0.1)


@pytest.mark.parametrize(("begin", "alarm"), [(0, False), (400, True)])
def test_where_no_defect_rate_is_stated_only_its_change_is_an_alarm(begin: int,
                                                                    alarm: bool) -> None:
    """A line may make many defective parts; that is no drift."""
    found = rows(900)
    found.loc[begin::3, "score"] = 5.0
    told = streams(found, None)["defects"]
    assert told.alarm is alarm
    assert told.expected is None
    assert told.level == pytest.approx(0.37, abs=0.1)


def test_too_many_undecidable_images() -> None:
    found = undecidable(rows(600), np.arange(600) % 10 == 3)
    assert streams(found)["undecidable"].says == "more images are undecidable than stated"
    assert not streams(undecidable(rows(600), np.arange(600) % 100 == 3))["undecidable"].alarm


@pytest.mark.parametrize("before", [0, 100, 2_000, 20_000])
def test_a_lamp_that_died_is_told_within_ten_pictures(before) -> None:
    generator = np.random.default_rng(before)
    which = np.r_[generator.random(before) < 0.01, np.full(20, True)]
    stream = streams(undecidable(rows(before + 20), which))["undecidable"]
    assert stream.crossed is not None and before < stream.crossed + 1 <= before + 10


def test_a_camera_that_repeats_its_dead_picture_is_told_too() -> None:
    found = undecidable(rows(60), np.arange(60) >= 40)
    found.loc[40:, "pixel_hash"] = "0" * 64
    assert list(counted(found, POINT.threshold)["id"]) == list(range(1, 61))
    assert streams(counted(found, POINT.threshold))["undecidable"].alarm


def test_evidence_does_not_depend_on_how_often_one_looks() -> None:
    found = rows(700, brightness=after(300, 700, 1.0))
    whole = streams(found)
    for upto in (1, 250, 699):
        for name, stream in streams(found[:upto]).items():
            assert stream.evidence == pytest.approx(whole[name].evidence[:len(stream.evidence)])


def test_figures_that_are_all_equal_are_no_evidence() -> None:
    found = rows(1_000)
    found["contrast"] = 0.25
    told = calibration()
    same = told.__class__(told.normal_scores,
                          tuple(look._replace(contrast=0.25) for look in told.appearance),
                          (), told.pixel, told.image)
    assert not streams(found, calibrated=same)["contrast"].alarm


def test_images_that_are_judged_again_count_once() -> None:
    found = rows(60, brightness=0.6)
    again = pd.concat([found] * 10, ignore_index=True)
    again["id"] = np.arange(1, 601)
    kept = counted(again, POINT.threshold)
    assert list(kept["id"]) == list(range(1, 61))


def test_rows_of_another_threshold_are_of_another_detector() -> None:
    found = undecidable(rows(10), np.isin(np.arange(10), (1, 6)))
    found.loc[[0, 2, 3], "threshold"] = 9.0
    assert list(counted(found, POINT.threshold)["id"]) == [5, 6, 7, 8, 9, 10]
    found.loc[9, "threshold"] = 9.0
    assert list(counted(found, POINT.threshold)["id"]) == [5, 6, 7, 8, 9]
    assert list(counted(undecidable(rows(3), np.full(3, True)), 1.5)["id"]) == [1, 2, 3]
    assert counted(rows(0), 1.5).empty


def test_bound_on_the_false_alarm_rate_in_closed_form() -> None:
    """None of n normals above: the rate exceeds x with probability (1 - x)^n."""
    told = calibration(50)
    highest = OperatingPoint(told.normal_scores[-1], 0.01, False, "rate", None, None,
                             19, 0.05, 0.1, 0.05)
    assert _highest_false_alarm_rate(told, highest, 0.1) == pytest.approx(1 - 0.1**(1 / 50))
    cheapest = OperatingPoint(told.normal_scores[-1], 0.01, True, "cost", None, 0.1,
                              19, None, 0.1, 0.05)
    assert _highest_false_alarm_rate(told, cheapest, 0.1) == pytest.approx(1 - 0.002**(1 / 50))


def test_a_line_with_hardly_any_normals_can_still_be_watched() -> None:
    found = streams(rows(200), calibrated=calibration(2))
    assert not any(stream.alarm for stream in found.values())
