"""Arrays that went to a file come back as they were."""

import gc

import numpy as np
import psutil
import pytest

from hdm.evaluation import arrays_on_disk
from hdm.evaluation.arrays_on_disk import ArraysOnDisk


@pytest.mark.parametrize("memory", [1, 100, 2**25])
def test_arrays_come_back_in_any_order(memory, monkeypatch):
    monkeypatch.setattr(arrays_on_disk, "_IN_MEMORY", memory)
    random = np.random.default_rng(0)
    given = [random.normal(size=(3, 4)), np.arange(7, dtype=np.uint8), np.zeros((0, 2)),
             random.normal(size=(5, 6)).T.astype(np.float32), np.array(2.5)]
    kept = ArraysOnDisk()
    for array in given:
        kept.append(array)
    assert len(kept) == 5
    for number in (3, 0, 4, 2, 1, -1, 0):
        assert np.array_equal(kept[number], given[number])
        assert kept[number].dtype == given[number].dtype
    kept.append(np.ones(2))  # after reading
    assert [array.shape for array in kept] == [*(array.shape for array in given), (2,)]
    assert [array.shape for array in kept[3:]] == [(6, 5), (), (2,)]
    with pytest.raises(IndexError):
        kept[6]


def open_files() -> int:
    gc.collect()
    return psutil.Process().num_fds()


def test_many_are_in_a_file_that_goes_with_them(monkeypatch):
    monkeypatch.setattr(arrays_on_disk, "_IN_MEMORY", 1000)
    before = open_files()
    kept = ArraysOnDisk()
    kept.append(np.zeros(100))
    assert open_files() == before
    kept.append(np.ones(2000))
    assert open_files() == before + 1
    assert [array.sum() for array in kept] == [0, 2000]
    del kept
    assert open_files() == before
