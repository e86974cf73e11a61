"""The cheapest threshold: the rate of false alarms that is expected of it, and the true one."""

from typing import Any

import numpy as np

from benchmarks.guarantees.simulated_parts import drawn, mean_row, part_rate, row, share_row
from benchmarks.guarantees.stated_rates import calibration
from hdm.detector.conformal import LIKELY
from hdm.detector.operating_point import choose
from hdm.model_settings import ThresholdRule

TITLE = "Threshold by cost"
SYNTHETIC = 64
RULES = {"an escape costs 50, defects 2 %": ThresholdRule(
             escape_cost=50, false_reject_cost=1, defect_rate=0.02),
         "an escape costs 250, defects 0.5 %": ThresholdRule(
             escape_cost=250, false_reject_cost=1, defect_rate=0.005),
         "an escape costs 20, defects 1 %": ThresholdRule(
             escape_cost=20, false_reject_cost=1, defect_rate=0.01)}


def simulate(runs: int) -> list[dict[str, Any]]:
    """Rows of each number of parts, of pictures a part, and costs."""
    return [found for parts in (10, 27, 100) for pictures, alike in ((1, 0.0), (4, 0.5))
            for name, rule in RULES.items()
            for found in _case(f"{parts} parts of {pictures}; {name}", parts, pictures, alike,
                               rule, runs)]


def _case(case: str, parts: int, pictures: int, alike: float, rule: ThresholdRule, runs: int
          ) -> list[dict[str, Any]]:
    random = np.random.default_rng([parts, pictures, round(100 * (rule.escape_cost or 0))])
    rates, said, naive, likely = [], [], [], 0
    for _ in range(runs):
        scores = drawn(random, parts, pictures, alike)[0]
        told = calibration(scores, (random.standard_normal(SYNTHETIC) * 1.5 + 3.0).tolist())
        point = choose(told, rule)
        rates.append(part_rate(point.threshold, pictures, alike))
        said.append(point.false_alarm_rate)
        naive.append((1 + (told.part_scores > point.threshold).sum()) / (parts + 1))
        likely += rates[-1] <= (point.likely_rate or 0.0)
    # Said and true are of the same runs: what chance leaves between them is that of the difference.
    expected, found = float(np.mean(said)), mean_row(rates)
    apart = mean_row(list(np.array(rates) - said))
    paired = {"true": found["true"]} | {name: expected + apart[name] for name in apart
                                        if name != "true"}
    return [row(case, "parts with a false alarm", expected, paired, runs),
            row(case, "lines below the likely rate", LIKELY, share_row(likely, runs), runs,
                at_least=True),
            row(case, "before: share above the chosen threshold", float(np.mean(naive)), found,
                runs, before=True)]
