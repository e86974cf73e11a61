"""Files of many pages: a part each, with a mask a page, and what of them is not read."""

import numpy as np
import pytest
import tifffile
from plates import dent_mask, plate, plates
from small_sources import refused, run


def stack(file, *pages):
    file.parent.mkdir(parents=True, exist_ok=True)
    with tifffile.TiffWriter(file) as tiff:
        for page in pages:
            tiff.write(page, photometric="rgb" if page.ndim == 3 else "minisblack")


def test_each_page_is_an_image_and_a_file_one_part(tmp_path):
    for number in range(8):
        stack(tmp_path / f"good/{number}.tif", *(plate(10 * number + page) for page in range(3)))
    stack(tmp_path / "dent/0.tif", *(plate(900 + page, dent=True) for page in range(2)))
    stack(tmp_path / "masks/dent/0.tif",
          *(dent_mask(900 + page).astype(np.uint8) * 255 for page in range(2)))
    found = run(tmp_path)
    frame = found.manifest.frame
    assert len(frame) == 26 and frame.groupby("group")["split"].nunique().max() == 1
    assert list(frame["path"][:2]) == ["dent/0.tif#1", "dent/0.tif#2"]
    assert set(found.truth.masks) == {"dent/0.tif#1", "dent/0.tif#2"}
    assert any("9 files hold 26 pages" in note for note in found.warnings)


def test_a_mask_of_other_pages_than_its_image_is_refused(tmp_path):
    plates(tmp_path)
    stack(tmp_path / "dent/9.tif", plate(901, dent=True), plate(902, dent=True))
    stack(tmp_path / "masks/dent/9.tif", dent_mask(901).astype(np.uint8) * 255)
    assert "holds 2 pictures and its mask masks/dent/9.tif 1" in refused(tmp_path)


@pytest.mark.parametrize("other", [
    plate(2)[:39], np.dstack([plate(2)] * 3), plate(2).astype(np.uint16) * 257])
def test_pages_unlike_the_first_are_told(tmp_path, other):
    stack(plates(tmp_path) / "good/mixed.tif", plate(700), other)
    found = run(tmp_path)
    assert any("1 files hold pages of several sizes or types" in note and "good/mixed.tif" in note
               for note in found.warnings)


def test_previews_are_not_told(tmp_path):
    stack(plates(tmp_path) / "good/first.tif", plate(701)[::4, ::4].copy(), plate(702))
    assert not any("several sizes" in note for note in run(tmp_path).warnings)
