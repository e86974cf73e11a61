"""Is the false-alarm rate of good test images what the threshold states?"""

from collections.abc import Iterator

from scipy.stats import binom

from benchmarks.quality.results import Row
from hdm.evaluation.false_alarm_law import false_alarms_by_chance

INTERVAL = 0.95


def judged(rows: list[Row]) -> Iterator[tuple[bool, float]]:
    """For each stated rate of each row: whether the measured one lies within the binomial 95 %
    interval, and how probable that is when test and calibration images are exchangeable."""
    for row in rows:
        # Rows of before parts were counted took each image for one.
        calibration = row["calibration_parts" if "calibration_parts" in row
                          else "calibration_normals"]
        test = row["test_good_parts" if "test_good_parts" in row else "test_normals"]
        for stated, measured in row["false_alarm_rates"].items():
            low, high = binom.interval(INTERVAL, test, float(stated))
            law = false_alarms_by_chance(calibration, test, float(stated))
            yield (bool(low <= round(measured * test) <= high),
                   float(law.cdf(high) - law.cdf(low - 1)))
