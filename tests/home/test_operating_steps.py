"""What each threshold would do, counted by part on made-up figures."""

import pytest
from made_up_version import evaluated

from hdm.detector.calibration import Calibration
from hdm.detector.operating_point import choose, curve
from hdm.home.operating_steps import nearest, operating_steps, stated_rate
from hdm.model_settings import ThresholdRule


def test_each_step_counts_parts_from_the_highest_threshold_down(tmp_path):
    steps = operating_steps(evaluated(tmp_path))
    assert [step.threshold for step in steps] == [0.85, 0.35, 0.05]
    assert [step.good.parts_stopped for step in steps] == [1, 2, 3]
    # Part e has a picture above .35; d none.
    assert [(step.defects.parts_stopped, step.defects.parts) for step in steps] == [
        (1, 3), (2, 3), (3, 3)]
    assert [step.worst.kind for step in steps[:2]] == ["dent", "dent"]
    assert [step.expected for step in steps] == [0.5, 0.25, 0.0]


def test_at_its_own_threshold_a_version_stops_what_its_evaluation_says(tmp_path):
    files = evaluated(tmp_path, unsure=("good/a.png", "dent/d.png"))
    steps = operating_steps(files)
    now = steps[nearest(steps, files.point.threshold)]
    assert (now.good, now.defects) == (files.detection.good, files.detection.defects)
    assert steps[0].defects.parts_stopped == 2, "what is undecidable is stopped at each"


@pytest.mark.parametrize(("threshold", "step"), [(9.0, 0), (0.85, 0), (0.5, 1), (0.35, 1),
                                                 (0.1, 2), (-1.0, 2)])
def test_the_nearest_step_stops_as_much_or_more(tmp_path, threshold, step):
    assert nearest(operating_steps(evaluated(tmp_path)), threshold) == step


@pytest.mark.parametrize("parts", [3, 21, 100, 777])
def test_stating_the_rate_of_a_step_chooses_its_threshold(tmp_path, parts):
    calibration = Calibration(tuple(float(n) for n in range(parts)), (), (0.5, 2.5), (1.0, 0.0),
                              (1.0, 0.0))
    first = operating_steps(evaluated(tmp_path))[0]
    for row in curve(calibration, ThresholdRule()).itertuples():
        rate = stated_rate(first._replace(rate=row.false_alarm_rate))
        if rate < 0.9999:
            assert choose(calibration, ThresholdRule(false_alarm_rate=rate)).threshold \
                == row.threshold
