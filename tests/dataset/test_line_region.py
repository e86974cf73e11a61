"""Regions: what is refused in a sentence, what the outlines cover, what is on the disk."""

import json

import numpy as np
import pytest
import tiny
from PIL import Image, ImageDraw

from hdm.dataset.line_region import LineRegion, combined, region_of
from hdm.dataset.region_file import (
    clear_region,
    digest,
    ignored_pixels,
    mask_from,
    read_region,
    write_region,
)
from hdm.errors import ConfigError, DataError

SQUARE = [[0.2, 0.2], [0.6, 0.2], [0.6, 0.5], [0.2, 0.5]]
STAR = [[0.5, 0.1], [0.6, 0.9], [0.1, 0.3], [0.9, 0.3], [0.4, 0.9]]


def region(ignore=(), inspect=(), **more):
    return region_of({"ignore": [{"corners": c} for c in ignore],
                      "inspect": [{"corners": c} for c in inspect], **more}, "plate.json")


@pytest.mark.parametrize(("content", "part"), [
    ({"ignore": [{"corners": STAR}]}, "ignore outline 1 crosses itself"),
    ({"inspect": [{"name": "part", "corners": [[0, 0], [1, 1], [1, 0], [0, 1]]}]},
     r"inspect outline 1 \(part\) crosses itself"),
    ({"ignore": [{"corners": [[0, 0], [0.5, 0.5], [1, 1]]}]}, "corners lie on a line"),
    ({"ignore": [{"corners": [[0, 0], [0, 0], [0.5, 0.5], [0, 0]]}]}, "2 different corners"),
    ({"ignore": [{"corners": [[0.1, 0.1], [0.2, 0.2]]}]}, "corners"),
    ({"ignore": [{"corners": [[10, 20], [300, 20], [300, 200]]}]}, "between 0 and 1, received 10"),
    ({"ignore": [{"corners": [[0, 0], [1, 0], [1, -0.1]]}]}, "received -0.1"),
    ({"ignore": [{"corners": [[0, 0], [1, 0], [float("nan"), 1]]}]}, "ignore.0.corners.2.0"),
    ({"ignore": [{"corners": [[0, 0, 0], [1, 0, 0], [1, 1, 0]]}]}, "ignore.0.corners.0"),
    ({"ignore": [{"points": SQUARE}]}, "plate.json"),
    ({"polygons": []}, "unknown key 'polygons'; valid keys: ignore, inspect, mask"),
    ({"ignore": [{"corners": SQUARE, "colour": 1}]}, "valid keys: name, corners"),
    ({"mask": "../secret.png"}, "mask: expected the name of a PNG"),
    ([], "plate.json"), ("text", "plate.json"), (None, "plate.json")])
def test_what_is_no_region_is_told_in_a_sentence(content, part) -> None:
    with pytest.raises(ConfigError, match=part) as told:
        region_of(content, "plate.json")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("size", [(60, 80), (600, 800), (37, 91)])
@pytest.mark.parametrize("corners", [SQUARE, STAR[:3], [[0, 0], [1, 0], [1, 0.3], [0.4, 0.05]]])
def test_every_pixel_that_an_outline_touches_is_ignored_at_any_resolution(size, corners) -> None:
    found = combined(region([corners]), None, *size)
    drawn = Image.new("1", size[::-1])
    points = [(x * size[1] - 0.5, y * size[0] - 0.5) for x, y in corners]
    ImageDraw.Draw(drawn).polygon(points, fill=1, outline=1)
    drawn = np.array(drawn)
    assert found[drawn].all()
    assert found.sum() <= drawn.sum() + 6 * sum(size)


@pytest.mark.parametrize("size", [(60, 80), (128, 128), (301, 99)])
def test_outside_what_is_inspected_all_is_ignored_and_ignore_wins(size) -> None:
    whole = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]
    found = combined(region(inspect=[whole], ignore=[SQUARE]), None, *size)
    middle = [round(side * 0.7) for side in size]
    assert found[0].all() and found[:, -1].all() and found[size[0] // 3, size[1] // 3]
    assert not found[middle[0], middle[1]]


@pytest.mark.parametrize("inspect", [
    [[[0, 0], [1, 0], [1, 1], [0, 1]]],
    [[[0, 0], [0.6, 0], [0.6, 1], [0, 1]], [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]]])
def test_a_region_that_ignores_nothing_is_refused(inspect) -> None:
    with pytest.raises(ConfigError, match="ignores nothing"):
        combined(region(inspect=inspect), None, 64, 64)


@pytest.mark.parametrize("given", [
    {"ignore": [[[0, 0], [1, 0], [1, 1], [0, 1]]]},
    {"inspect": [[[0.5, 0.5], [0.51, 0.5], [0.51, 0.52]]]},
    {"ignore": [[[0, 0], [0.5, 0], [0.5, 1], [0, 1]], [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]]}])
def test_a_region_that_leaves_nothing_to_inspect_is_refused(given, tmp_path) -> None:
    with pytest.raises(ConfigError, match="at least 1% of a picture"):
        write_region(tmp_path / "plate.json", region(**given))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("given", [
    {"ignore": [SQUARE]}, {"inspect": [SQUARE, STAR[:3]]}, {"ignore": [STAR[:3]],
                                                            "inspect": [SQUARE]}])
def test_what_is_written_is_read_again(given, tmp_path) -> None:
    file, made = tmp_path / "regions" / "plate.json", region(**given)
    write_region(file, made)
    assert read_region(file) == made
    before = digest(file, made)
    write_region(file, region(ignore=[[[0.1, 0.1], [0.2, 0.1], [0.2, 0.3]]]))
    assert digest(file, read_region(file)) != before
    assert clear_region(file) and read_region(file) is None and not clear_region(file)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("depth", ["1", "L", "RGB", "I;16"])
def test_a_mask_is_kept_beside_the_region_and_goes_with_it(depth, inverted, tmp_path) -> None:
    marked = np.zeros((30, 40), bool)
    marked[5:12, 20:33] = True
    if depth == "I;16":
        Image.fromarray(marked.astype(np.uint16) * 65535).save(tmp_path / "drawn.png")
    else:
        Image.fromarray(marked).convert(depth).save(tmp_path / "drawn.png")
    file = tmp_path / "regions" / "plate.json"
    mask = mask_from(tmp_path / "drawn.png", inspected=inverted)
    write_region(file, LineRegion(), mask)
    kept = read_region(file)
    assert np.array_equal(ignored_pixels(file, kept, 64, 64), marked != inverted)
    assert sorted(path.name for path in file.parent.iterdir()) == sorted(["plate.json", kept.mask])
    write_region(file, region([SQUARE], mask=kept.mask))
    both = ignored_pixels(file, read_region(file), 64, 64)
    assert both.shape == marked.shape and both[marked != inverted].all()
    write_region(file, LineRegion(), ~mask)
    assert len(list(file.parent.iterdir())) == 2
    clear_region(file)
    assert not list(file.parent.iterdir())


def test_a_photograph_is_no_mask(tmp_path) -> None:
    noise = np.random.default_rng(0).normal(120, 30, (64, 64)).clip(0, 255).astype(np.uint8)
    tiny.write_png(tmp_path / "part.png", noise)
    with pytest.raises(DataError, match="black and white"):
        mask_from(tmp_path / "part.png", inspected=False)


@pytest.mark.parametrize("damage", ["{", '{"ignore": 3}', '{"mask": "plate-00000000.png"}', "[]"])
def test_a_damaged_file_is_told_and_can_be_cleared(damage, tmp_path) -> None:
    file = tmp_path / "plate.json"
    file.write_text(damage)
    with pytest.raises(ConfigError, match=r"plate\.json"):
        ignored_pixels(file, read_region(file), 64, 64)
    assert clear_region(file) and not file.exists()


def test_another_mask_under_its_name_is_told(tmp_path) -> None:
    file, mask = tmp_path / "plate.json", np.eye(30, dtype=bool)
    write_region(file, LineRegion(), mask)
    kept = read_region(file)
    Image.fromarray(~mask).save(tmp_path / kept.mask)
    with pytest.raises(ConfigError, match="is not the mask that was set"):
        ignored_pixels(file, kept, 30, 30)
    (tmp_path / kept.mask).unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        ignored_pixels(file, kept, 30, 30)
    assert "mask" in json.loads(file.read_text())
