"""Whatever drew a mask, the same pixels are the defect; what is not certain is refused."""

import os

import numpy as np
import pytest
import tifffile
from image_files import write
from PIL import Image
from plates import HEIGHT, WIDTH, dent_mask, plates
from small_sources import refused, run

from hdm.dataset.images import decode_image


def grey(values):
    return values.astype(np.uint8)


def palette(marked, background, ink):
    image = Image.fromarray(grey(marked), "P")
    image.putpalette([*background, *ink])
    return image


def overlay(marked, background=(90, 90, 90), ink=(190, 90, 90)):
    return np.where(marked[..., None], np.uint8(ink), np.uint8(background))


def blurred(marked):
    return np.asarray(Image.fromarray(grey(marked) * 255).resize((WIDTH * 3, HEIGHT * 3)).resize(
        (WIDTH, HEIGHT), Image.Resampling.BICUBIC))


def see_through(marked, ink):
    alpha = grey(marked) * 255
    return np.dstack([np.full_like(alpha, ink)] * 3 + [alpha])


LOSSLESS = {
    "white": lambda m: grey(m) * 255, "ones": grey, "saturated": lambda m: grey(m) * 253,
    "deep": lambda m: m.astype(np.uint16) * 4095, "inverted": lambda m: grey(~m) * 255,
    "labels 1 and 2": lambda m: grey(m) + 1, "zero is the defect of 7": lambda m: grey(~m) * 7,
    "bool": lambda m: m, "palette on white": lambda m: palette(m, (255, 255, 255), (255, 0, 0)),
    "palette on black": lambda m: palette(m, (0, 0, 0), (0, 128, 0)), "overlay": overlay,
    "colour on black": lambda m: overlay(m, (0, 0, 0), (255, 0, 0)),
    "black on clear": lambda m: see_through(m, 0), "white on clear": lambda m: see_through(m, 255),
}
LOSSY = {"white": lambda m: grey(m) * 255, "100": lambda m: grey(m) * 100,
         "inverted": lambda m: grey(~m) * 255, "overlay": overlay,
         "colour": lambda m: overlay(m, (0, 0, 0), (0, 200, 80))}


def saved(draw, suffix="png", **options):
    def mask(root, number, marked):
        picture = draw(marked)
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        file = root / f"ground_truth/dent/{number:03d}.{suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        image.save(file, **options)
    return mask


def masks_of(found):
    """What later stages read, by the number of the defect."""
    return {path[-7:-4]: decode_image(mask.png, path) > 0
            for path, mask in found.truth.masks.items()}


def expected():
    return {f"{number:03d}": dent_mask(1000 + number) for number in range(4)}


def assert_equal(found, wanted):
    assert found.keys() == wanted.keys()
    for number, mask in wanted.items():
        np.testing.assert_array_equal(found[number], mask)


@pytest.mark.parametrize("kind", LOSSLESS)
def test_lossless_masks_are_exact(tmp_path, kind):
    assert_equal(masks_of(run(plates(tmp_path, saved(LOSSLESS[kind])))), expected())


@pytest.mark.parametrize("suffix, options", [
    ("webp", {"lossless": True, "exact": True}), ("jp2", {"irreversible": False}), ("gif", {}),
    ("bmp", {})])
@pytest.mark.parametrize("values", [(255, 85), (1, 2), (253, 100)])
def test_two_values_in_any_lossless_format_are_both_defects(tmp_path, suffix, options, values):
    def two(marked):
        upper = np.cumsum(marked, 0) > 4
        return np.where(marked, np.where(upper, values[0], values[1]), 0).astype(np.uint8)
    assert_equal(masks_of(run(plates(tmp_path, saved(two, suffix, **options)))), expected())


def test_a_bool_tiff_is_stored_with_white_as_zero(tmp_path):
    def mask(root, number, marked):
        file = root / f"ground_truth/dent/{number:03d}.tif"
        file.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(file, marked)
    assert_equal(masks_of(run(plates(tmp_path, mask))), expected())


@pytest.mark.parametrize("kind", LOSSY)
@pytest.mark.parametrize("quality", [75, 95])
def test_jpeg_masks_are_right_up_to_their_edges(tmp_path, kind, quality):
    mask = saved(LOSSY[kind], "jpg", quality=quality, subsampling=0)
    found = masks_of(run(plates(tmp_path, mask)))
    for number, mask in expected().items():
        assert (found[number] ^ mask).mean() < 0.006


def test_blurred_edges_are_halved(tmp_path):
    found = masks_of(run(plates(tmp_path, saved(blurred))))
    for number, mask in expected().items():
        assert (found[number] ^ mask).mean() < 0.006


def test_numbered_areas_are_all_defects(tmp_path):
    """Twenty faint labels in one mask are no blurred edge."""
    def mask(root, number, marked):
        labels = np.zeros(marked.shape, np.uint8)
        for label in range(20):
            labels[2 + label % 5 * 7:6 + label % 5 * 7, 2 + label // 5 * 12:9 + label // 5 * 12] = \
                label + 1
        write(root / f"ground_truth/dent/{number:03d}.png", labels)
    found = masks_of(run(plates(tmp_path, mask)))
    assert all(mask.sum() == 20 * 4 * 7 for mask in found.values())


@pytest.mark.parametrize("value", [1, 3, 10])
def test_a_jpeg_mask_too_faint_to_be_told_from_noise_is_refused(tmp_path, value):
    text = refused(plates(tmp_path, saved(lambda m: grey(m) * value, "jpg")))
    assert "lossy format whose strongest value is" in text and "save masks as PNG" in text


@pytest.mark.parametrize("factor", [0.5, 2, 3])
def test_another_resolution_is_mended(tmp_path, factor):
    size = round(WIDTH * factor), round(HEIGHT * factor)
    found = run(plates(tmp_path, saved(lambda m: Image.fromarray(grey(m) * 255).resize(
        size, Image.Resampling.NEAREST))))
    for number, mask in expected().items():
        assert (masks_of(found)[number] ^ mask).mean() < 0.03
    assert any("another resolution" in note for note in found.warnings)


@pytest.mark.parametrize("shape", [(WIDTH, HEIGHT), (HEIGHT, HEIGHT), (HEIGHT + 4, WIDTH)])
def test_another_shape_is_refused(tmp_path, shape):
    text = refused(plates(tmp_path, saved(lambda m: np.zeros(shape, np.uint8) + np.uint8(255))))
    assert f"a mask of {shape[1]}x{shape[0]} px for the image dent/000.png of 56x40 px" in text


def large(marked):
    """A defect of two thirds of the image, at its border: not to be told from an inverted mask."""
    area = np.zeros(marked.shape, np.uint8)
    area[:, :WIDTH * 2 // 3] = 255
    return area


def test_large_defects_or_inverted_masks_is_a_question_with_an_answer(tmp_path):
    root = plates(tmp_path, saved(large))
    assert "do not tell what is background: on 4 of 4" in refused(root)
    share = (WIDTH * 2 // 3) / WIDTH
    for said, area in (("bright", share), ("dark", 1 - share), ((255,), share)):
        found = masks_of(run(root, masks=said))
        assert all(mask.mean() == pytest.approx(area) for mask in found.values())


def test_values_that_mark_a_defect_may_be_chosen(tmp_path):
    """0 nothing, 1 the part, 2 and 5 defects."""
    def labels(marked):
        values = np.ones(marked.shape, np.uint8)
        values[:4] = 0
        values[marked] = 2 + 3 * (np.cumsum(marked, 0)[marked] > 4)
        return values
    assert_equal(masks_of(run(plates(tmp_path, saved(labels)), masks=(2, 5))), expected())


def test_a_mask_of_a_good_image_counts_only_if_it_marks_something(tmp_path):
    root = plates(tmp_path, saved(LOSSLESS["inverted"]))
    write(root / "ground_truth/good/001.png", np.full((HEIGHT, WIDTH), 255, np.uint8))
    found = run(root)
    assert set(masks_of(found)) == {"000", "001", "002", "003"}
    write(root / "ground_truth/good/002.png", grey(~dent_mask(3)) * 255)
    assert "good/002.png" in run(root).truth.masks


def test_an_empty_mask_stays_one(tmp_path):
    """Validation names it: the defect has to be drawn."""
    root = plates(tmp_path, saved(LOSSLESS["white"]))
    write(root / "ground_truth/dent/000.png", np.zeros((HEIGHT, WIDTH), np.uint8))
    assert not masks_of(run(root))["000"].any()


def test_equal_masks_have_equal_files(tmp_path):
    one = run(plates(tmp_path / "a", saved(LOSSLESS["white"]))).truth.masks
    other = run(plates(tmp_path / "b", saved(LOSSLESS["labels 1 and 2"]))).truth.masks
    assert one == other


@pytest.mark.parametrize("names", [("{}_roi.png", "{}_contour.png"), ("{}x.png",), ("a{}.png",)])
def test_drawn_pictures_among_photographs_are_refused(tmp_path, names):
    """However many there are: only a line that is drawn throughout has two tones."""
    root = plates(tmp_path)
    for number in range(14):
        for place, name in enumerate(names):
            write(root / "good" / name.format(f"{number:03d}"),
                  grey(dent_mask(50 * place + number)) * 255)
    assert f"{14 * len(names)} of {18 + 14 * len(names)} images are drawn" in refused(root)
    assert len(run(root, drawn_images="warn").manifest) == 18 + 14 * len(names)


def test_one_odd_mask_of_a_good_image_turns_nothing_round(tmp_path):
    root = plates(tmp_path, saved(LOSSLESS["white"]))
    write(root / "ground_truth/good/000.png", np.full((HEIGHT, WIDTH), 255, np.uint8))
    assert "do not tell what is background" in refused(root)
    found = run(root, masks="bright")
    assert found.truth.masks.keys() == {
        "good/000.png", *(f"dent/{number:03d}.png" for number in range(4))}


@pytest.mark.parametrize("inverted", [1, 2])
def test_inverted_masks_beside_others_are_told(tmp_path, inverted):
    def mask(root, number, marked):
        saved(LOSSLESS["inverted" if number < inverted else "white"])(root, number, marked)
    found = run(plates(tmp_path, mask, defects=6))
    assert any(f"{inverted} of 6 masks mark most of their image" in note for note in found.warnings)


def test_a_pipe_is_no_image(tmp_path):
    os.mkfifo(plates(tmp_path) / "good/pipe.png")
    assert "a pipe or device" in refused(tmp_path)
