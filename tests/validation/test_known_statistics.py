"""Statistics that are kept: the same figures, and only of files that are what was measured."""

import os

import numpy as np
import pandas as pd
import pytest

from hdm.validation import statistics
from hdm.validation.statistics import measure


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "work" / "measured.parquet"


@pytest.fixture
def decoded(monkeypatch):
    """Names of the images that were decoded."""
    names, read = [], statistics.read_image
    monkeypatch.setattr(statistics, "read_image",
                        lambda file: names.append(file.name) or read(file))
    return names


def test_figures_are_the_same_and_nothing_is_decoded_again(crafted, cache, decoded):
    plain = measure(crafted.manifest())
    pd.testing.assert_frame_equal(measure(crafted.manifest(), cache=cache), plain, check_exact=True)
    decoded.clear()
    pd.testing.assert_frame_equal(measure(crafted.manifest(), cache=cache), plain, check_exact=True)
    assert decoded == []


def test_what_is_new_or_changed_is_measured_and_nothing_else(crafted, cache, decoded):
    measure(crafted.manifest(), cache=cache)
    crafted.put("test/good/0000_new.png", "test")
    crafted.put("test/good/003.png", "test")
    os.utime(crafted.root / "test/good/003.png", ns=(1, 1))
    decoded.clear()
    found = measure(crafted.manifest(), cache=cache)
    assert sorted(decoded) == ["0000_new.png", "003.png"]
    assert found["unchanged"].all()
    assert found.equals(measure(crafted.manifest()))


def test_other_pixels_than_the_manifest_says_are_told_each_time(crafted, cache):
    measure(crafted.manifest(), cache=cache)
    crafted.write("test/good/003.png", crafted.pixels())
    os.utime(crafted.root / "test/good/003.png", ns=(1, 1))
    for _ in range(2):
        frame = measure(crafted.manifest(), cache=cache).set_index("path")
        assert list(frame.index[~frame["unchanged"]]) == ["test/good/003.png"]


def test_another_manifest_of_the_same_file_is_believed_neither(crafted, cache, decoded):
    measure(crafted.manifest(), cache=cache)
    crafted.change("test/good/003.png", sha256="0" * 64)
    decoded.clear()
    frame = measure(crafted.manifest(), cache=cache).set_index("path")
    assert decoded == ["003.png"] and not frame.loc["test/good/003.png", "unchanged"]


def test_a_file_that_went_is_missed_and_a_mask_is_measured_each_time(crafted, cache):
    measure(crafted.manifest(), cache=cache)
    (crafted.root / "test/good/003.png").unlink()
    (crafted.root / crafted.rows["test/scratch/002.png"]["mask_path"]).write_text("no mask")
    frame = measure(crafted.manifest(), cache=cache).set_index("path")
    assert frame.loc["test/good/003.png", "problem"] == "no such file"
    assert frame.loc["test/scratch/002.png", "mask_problem"] == "a text file"


@pytest.mark.parametrize("harm", [lambda content: content[:len(content) // 2], lambda content: b"",
                                  lambda content: content[:200] + b"\0" * (len(content) - 200)])
def test_a_damaged_cache_is_no_error_and_is_made_anew(crafted, cache, decoded, harm):
    plain = measure(crafted.manifest(), cache=cache)
    cache.write_bytes(harm(cache.read_bytes()))
    assert measure(crafted.manifest(), cache=cache).equals(plain)
    decoded.clear()
    measure(crafted.manifest(), cache=cache)
    assert decoded == []


def test_one_that_cannot_be_written_is_no_error(crafted, tmp_path):
    (tmp_path / "work").write_text("a file where a folder should be")
    plain = measure(crafted.manifest())
    assert measure(crafted.manifest(), cache=tmp_path / "work" / "x.parquet").equals(plain)


def test_one_of_another_source_or_measure_is_not_used(crafted, cache, decoded, monkeypatch):
    measure(crafted.manifest(), cache=cache)
    monkeypatch.setattr("hdm.validation.known_statistics._MEASURE", b"next")
    decoded.clear()
    measure(crafted.manifest(), cache=cache)
    assert len(decoded) == len(crafted.rows)


def test_deep_pictures_with_other_bits_are_measured_again(crafted, cache):
    crafted.put("test/good/deep.png", "test", np.full((8, 8), 2000, np.uint16), bits=16)
    before = measure(crafted.manifest(), cache=cache).set_index("path")
    crafted.change("test/good/deep.png", bits=12)
    after = measure(crafted.manifest(), cache=cache).set_index("path")
    assert after.loc["test/good/deep.png", "mean"] > 10 * before.loc["test/good/deep.png", "mean"]
