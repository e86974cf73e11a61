"""The exported folder's reader reads as hdm reads, or refuses."""

import sys
from pathlib import Path

import numpy as np
import pytest
from picture_formats import CELLS, DEPTHS, of_depth
from PIL import Image

from hdm.dataset.images import read_image
from hdm.export import standalone

READ = {"grey 8": {"png", "jpeg", "jfif", "bmp", "tiff", "lzw"},
        "colour 8": {"png", "jpeg", "bmp", "tiff"},
        "grey 10": {"png", "tiff"}, "grey 12": {"png", "tiff"}, "grey 16": {"png", "tiff"},
        "colour 12": {"png"}, "colour 16": {"png"}}
"""What must be read; other formats may be refused, and never differ."""


@pytest.fixture
def reader(monkeypatch):
    monkeypatch.syspath_prepend(standalone.__path__[0])
    for name in ("read_picture", "standalone_model"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import read_picture
    from standalone_model import Refused

    return read_picture.read_picture, Refused


def same_or_refused(reader, file: Path) -> bool:
    """Whether it was read; then as hdm does."""
    read, refused = reader
    try:
        found = read(file)
    except refused:
        return False
    expected = read_image(file)
    assert found.dtype == expected.dtype and np.array_equal(found, expected), file.name
    return True


@pytest.mark.parametrize(("depth", "name"), CELLS)
def test_every_format_is_read_alike_or_refused(reader, depth, name, tmp_path) -> None:
    form = DEPTHS[depth][0][name]
    file = tmp_path / f"picture{form.suffix}"
    form.write(file, of_depth(np.random.default_rng(0).integers(0, 256, (24, 33), np.uint8), depth))
    assert same_or_refused(reader, file) or name not in READ[depth]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_turned_cameras_are_understood_alike(reader, suffix, orientation, tmp_path) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    pixels = np.random.default_rng(0).integers(0, 256, (24, 33, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / f"x.{suffix}", exif=exif)
    assert same_or_refused(reader, tmp_path / f"x.{suffix}")


@pytest.mark.parametrize(("suffix", "mode"), [
    *(("png", mode) for mode in ("1", "L", "P", "RGB", "RGBA", "LA")),
    *(("tif", mode) for mode in ("1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I", "F")),
    *(("bmp", mode) for mode in ("1", "L", "P", "RGB", "RGBA"))])
def test_every_kind_of_pixel_is_read_alike_or_refused(reader, suffix, mode, tmp_path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 33, 4), np.uint8)
    image, file = Image.fromarray(pixels, "RGBA").convert("RGB"), tmp_path / f"x.{suffix}"
    image = Image.fromarray(pixels, "RGBA") if mode == "RGBA" else image.convert(
        "L").convert(mode) if mode in "IF" else image.convert(mode)
    image.save(file)
    assert same_or_refused(reader, file) or suffix == "tif"


def test_what_is_damaged_or_of_several_pictures_is_refused(reader, tmp_path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 33), np.uint8)
    image = Image.fromarray(pixels)
    image.save(tmp_path / "x.png")
    (tmp_path / "short.png").write_bytes((tmp_path / "x.png").read_bytes()[:-200])
    image.save(tmp_path / "film.png", save_all=True, append_images=[Image.fromarray(pixels // 2)])
    image.save(tmp_path / "stack.tif", save_all=True, append_images=[image])
    np.save(tmp_path / "object.npy", np.array([{}]), allow_pickle=True)
    for name in ("short.png", "film.png", "stack.tif", "object.npy", "missing.png"):
        with pytest.raises(reader[1]):
            reader[0](tmp_path / name)
