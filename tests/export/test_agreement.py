"""What counts as the same: by stated tolerances, and never where a figure is no number."""

from types import SimpleNamespace

import numpy as np
import pytest

from hdm.export.agreement import compare


def detector(score: float, decision: str = "good", p_value: float = 0.5, level: float = 0.2):
    found = SimpleNamespace(score=score, decision=decision, threshold=2.0, p_value=p_value,
                            anomaly_map=np.full((2, 2), level, np.float32))
    # Normals score 1 and 3: p-values step there.
    return SimpleNamespace(
        predict=lambda images: [found for _ in images],
        calibration=SimpleNamespace(p_value=lambda s: 1.0 if s <= 1 else 0.5 if s <= 3 else 0.2))


@pytest.mark.parametrize(("other", "agrees"), [
    (detector(1.5), True),
    (detector(1.5005), True),
    (detector(1.51), False),
    (detector(1.5, level=0.21), False),
    (detector(1.5, decision="defect"), False),
    (detector(1.5, p_value=0.2), False),
    (detector(float("nan")), False),
    (detector(1.5, level=float("nan")), False),
])
def test_differences(other, agrees) -> None:
    found = compare(detector(1.5), other, [np.zeros((2, 2), np.uint8)] * 3)
    assert found.images == 3 and found.agrees is agrees


def test_decisions_and_p_values_may_differ_where_they_change() -> None:
    images = [np.zeros((2, 2), np.uint8)]
    assert compare(detector(2.0), detector(2.0002, decision="defect"), images).agrees
    assert compare(detector(3.0), detector(3.0002, "defect", 0.2), images).p_values == 0
    assert compare(detector(3.0), detector(3.0, p_value=1.0), images).p_values == 1
