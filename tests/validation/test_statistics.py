"""Measured statistics against numbers worked out by hand."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hdm.dataset.manifest import Manifest
from hdm.validation.statistics import Statistics, measure, sharpness


def one(crafted, path):
    frame = measure(crafted.manifest())
    return frame[frame["path"] == path].iloc[0]


def test_one_row_an_image_in_the_manifests_order(crafted):
    frame = measure(crafted.manifest())
    assert list(frame.columns) == list(Statistics._fields)
    assert list(frame["path"]) == sorted(crafted.rows)
    assert frame["decodable"].all() and frame["unchanged"].all()


def test_brightness_of_a_half_black_half_white_image(crafted):
    pixels = np.zeros((10, 20), np.uint8)
    pixels[:, 5:] = 255
    crafted.put("test/good/half.png", "test", pixels)
    row = one(crafted, "test/good/half.png")
    assert row["mean"] == pytest.approx(0.75)
    assert row["contrast"] == pytest.approx(np.sqrt(0.75 * 0.25))
    assert row["dark_share"] == pytest.approx(0.25)
    assert row["bright_share"] == pytest.approx(0.75)
    assert (row["width"], row["height"], row["channels"], row["bit_depth"]) == (20, 10, 1, 8)


def test_grey_is_the_mean_of_the_channels(crafted):
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[..., 0] = 255
    crafted.put("test/good/red.png", "test", pixels)
    row = one(crafted, "test/good/red.png")
    assert row["mean"] == pytest.approx(1 / 3)
    assert row["channels"] == 3
    assert row["dark_share"] == pytest.approx(2 / 3)


def test_sixteen_bit_images_have_the_same_scale(crafted):
    pixels = np.full((8, 8), 32768, np.uint16)
    crafted.put("test/good/deep.png", "test", pixels)
    row = one(crafted, "test/good/deep.png")
    assert row["bit_depth"] == 16
    assert row["mean"] == pytest.approx(32768 / 65535)


def test_sharpness_is_the_variance_of_the_laplacian():
    grey = np.zeros((5, 5), np.float32)
    grey[2, 2] = 1  # Laplacian on the inner 3 x 3: -4 in the middle, 1 at its 4 neighbours
    laplacian = np.array([0, 1, 0, 1, -4, 1, 0, 1, 0])
    assert sharpness(grey) == pytest.approx(laplacian.var())


def test_a_ramp_has_no_sharpness_and_blur_lowers_it():
    ramp = np.tile(np.linspace(0, 1, 32, dtype=np.float32), (32, 1))
    assert sharpness(ramp) == pytest.approx(0, abs=1e-12)
    noise = np.random.default_rng(0).random((64, 64), dtype=np.float32)
    blurred = (noise + np.roll(noise, 1, 0) + np.roll(noise, 1, 1)) / 3
    assert sharpness(blurred) < 0.5 * sharpness(noise)
    assert sharpness(noise[:2]) == 0


def test_mask_area_and_size(crafted):
    row = one(crafted, "test/scratch/000.png")
    assert row["mask_present"] and row["mask_matches_size"]
    assert row["mask_area"] == pytest.approx(64 / (40 * 48))
    good = one(crafted, "test/good/000.png")
    assert not good["mask_present"] and np.isnan(good["mask_area"])


def test_bad_files_are_recorded_and_not_raised(crafted):
    (crafted.root / "test/good/000.png").write_bytes(b"")
    (crafted.root / "test/scratch/001.png").unlink()
    (crafted.root / crafted.rows["test/scratch/002.png"]["mask_path"]).write_text("no mask")
    frame = measure(crafted.manifest()).set_index("path")
    assert frame.loc["test/good/000.png", "problem"] == "an empty file"
    assert frame.loc["test/scratch/001.png", "problem"] == "no such file"
    assert frame["decodable"].value_counts()[False] == 2
    assert frame.loc["test/scratch/002.png", "mask_problem"] == "a text file"
    assert frame.loc["test/scratch/002.png", "decodable"]


def test_pixels_that_changed_since_ingest_are_noticed(crafted):
    crafted.write("test/good/003.png", crafted.pixels())
    frame = measure(crafted.manifest()).set_index("path")
    assert list(frame.index[~frame["unchanged"]]) == ["test/good/003.png"]


def test_the_number_of_threads_changes_nothing(crafted):
    manifest = crafted.manifest()
    assert measure(manifest, threads=1).equals(measure(manifest, threads=4))


def test_progress_counts_to_the_end(crafted):
    calls = []
    measure(crafted.manifest(), progress=lambda done, total: calls.append((done, total)))
    assert calls == [(index + 1, 54) for index in range(54)]


def test_no_images_give_an_empty_table():
    from hdm.dataset.manifest import SCHEMA
    manifest = Manifest(SCHEMA.empty_table().to_pandas(), Path())
    assert list(measure(manifest).columns) == list(Statistics._fields)


def test_exif_rotation_counts_for_width_and_height(crafted):
    exif = Image.Exif()
    exif[0x0112] = 6
    crafted.put("test/good/turned.png", "test")
    Image.fromarray(crafted.pixels(10, 30)).save(crafted.root / "test/good/turned.png", exif=exif)
    row = one(crafted, "test/good/turned.png")
    assert (row["width"], row["height"]) == (10, 30)
