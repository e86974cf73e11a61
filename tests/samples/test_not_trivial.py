"""No sample line may be solved by scorers that only see statistics or linear structure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score
from trivial_scorers import SCORERS

from hdm.samples import SAMPLE_LINES


def load(folder: Path) -> list[np.ndarray]:
    return [np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))]


@pytest.mark.parametrize("name", SAMPLE_LINES)
def test_trivial_scorers_stay_below(full_lines, name):
    folder = full_lines[name]
    good = load(folder / "test/good")
    bad = [
        image
        for kind in sorted((folder / "test").iterdir())
        if kind.name != "good"
        for image in load(kind)
    ]
    labels = [0] * len(good) + [1] * len(bad)
    train = load(folder / "train/good")
    test = good + bad
    aurocs = {key: roc_auc_score(labels, score(train, test)) for key, score in SCORERS.items()}
    assert max(aurocs.values()) < 0.80, aurocs
