"""What the feedback benchmark lets people speak of, and what it measures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.feedback.said import draw
from hdm.dataset.manifest import GOOD, Manifest


def images(parts: int, pictures: int) -> Manifest:
    """Parts in turn good, scratched and dented; every picture of a bad part is bad but its last."""
    rows = []
    for number in range(parts):
        kind = (GOOD, GOOD, "scratch", "dent")[number % 4]
        for picture in range(pictures):
            bad = kind != GOOD and (picture < pictures - 1 or pictures == 1)
            rows.append({"path": f"{number}_{picture}.png", "label": int(bad), "mask_path": None,
                         "defect_type": kind if bad else GOOD, "group": f"part {number}"})
    return Manifest(pd.DataFrame(rows), Path())


@pytest.mark.parametrize("pictures", [1, 3])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_is_measured_is_a_half_that_nobody_spoke_of(pictures: int, seed: int) -> None:
    test = images(80, pictures)
    scores = np.random.default_rng(9).normal(size=len(test))
    said = draw(test, scores, defects=10, alarms=8, seed=seed)
    assert (len(said.defects), len(said.alarms)) == (10, 8)
    assert sorted(said.defects.frame["defect_type"].value_counts()) == [5, 5]
    groups = [set(one.frame["group"]) for one in (said.defects, said.alarms, said.rest)]
    assert not groups[0] & groups[1] and not (groups[0] | groups[1]) & groups[2]
    assert len(groups[2]) == 40
    # Whether a part is measured does not hang on its score.
    same = draw(test, -scores, defects=10, alarms=8, seed=seed)
    assert list(same.rest.frame["path"]) == list(said.rest.frame["path"])


def test_false_alarms_are_the_highest_good_scores_of_their_half() -> None:
    test = images(80, 1)
    scores = np.arange(80.0)
    said = draw(test, scores, defects=4, alarms=5, seed=3)
    of = dict(zip(test.frame["path"], scores, strict=True))
    seen = {*said.alarms.frame["path"], *said.rest.frame["path"]}
    unsaid = [of[path] for path in test.frame["path"][test.frame["label"] == 0]
              if path not in seen]
    assert unsaid and max(unsaid) < min(of[path] for path in said.alarms.frame["path"])
