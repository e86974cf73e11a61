"""Batches side by side: the same answers by any number of threads, and torch's is as before."""

import numpy as np
import pytest
import torch
from small_detector import native, small_detector

from hdm.detector.judging_threads import side_by_side


@pytest.mark.parametrize("fit", ["resize", "tile"])
def test_answers_are_the_same_by_any_number_of_threads(fit):
    detector = small_detector(fit=fit)
    batches = [[native(261, 157, seed=3 * n + k) for k in range(2)] for n in range(3)]
    one, *others = ([found for batch in side_by_side(detector.predict, batches, threads)
                     for found in batch] for threads in (1, 2, 3))
    for other in others:
        assert [a.score for a in one] == [b.score for b in other]
        assert all(np.array_equal(a.anomaly_map, b.anomaly_map)
                   for a, b in zip(one, other, strict=True))


def test_each_batch_has_one_thread_and_the_number_before_comes_back():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert set(side_by_side(lambda _: torch.get_num_threads(), range(9), 2)) == {1}
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
