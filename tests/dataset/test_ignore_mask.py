"""One mask for pictures of any size: what it touches, what it covers, what is put there."""

import numpy as np
import pytest
import tiny
import torch

from hdm.dataset.ignore_mask import (
    MOST,
    Ignored,
    IgnoreMask,
    filled,
    from_text,
    reflection,
)
from hdm.dataset.input_format import InputFormat

SIZES = [(60, 80), (30, 40), (600, 800), (61, 79), (7, 9), (1, 1), (200, 33)]


def mask(height: int = 60, width: int = 80) -> np.ndarray:
    made = np.zeros((height, width), bool)
    made[10:31, 29:50] = True
    made[:, -1] = True
    return made


def boxes(length: int, cells: int) -> list[slice]:
    """Cells that each pixel overlaps, by fractions."""
    return [slice(int(n * cells / length + 1e-9), int(np.ceil((n + 1) * cells / length - 1e-9)))
            for n in range(length)]


@pytest.mark.parametrize("size", SIZES)
def test_a_pixel_is_touched_by_any_cell_and_covered_by_all(size) -> None:
    own, rows, columns = mask(), boxes(size[0], 60), boxes(size[1], 80)
    found = IgnoreMask.of(own)
    for call, rule in ((found.touched, np.any), (found.whole, np.all)):
        expected = [[rule(own[row, column]) for column in columns] for row in rows]
        assert np.array_equal(call(*size).numpy(), expected)


@pytest.mark.parametrize("shape", [(1, 5), (60, 80), (MOST + 900, 40), (33, 2 * MOST)])
def test_as_text_it_is_the_same_and_of_limited_size(shape) -> None:
    own = np.random.default_rng(0).random(shape) < 0.3
    made = IgnoreMask.of(own)
    again = from_text(made.text())
    assert torch.equal(again.sums, made.sums) and again.share == made.share
    assert max(made.sums.shape) <= MOST + 1
    assert made.touched(*shape).numpy()[own].all()


@pytest.mark.parametrize("text", ["mask", "bm8gcGljdHVyZQ==", "é"])
def test_other_text_is_no_mask(text) -> None:
    with pytest.raises(ValueError):
        InputFormat(32, 32, 1, 0.0, 1.0, "resize", ignored=text)


@pytest.mark.parametrize("shape", [(1, 60, 80), (3, 60, 80), (2, 3, 60, 80)])
def test_the_filling_is_the_mean_of_what_is_inspected(shape) -> None:
    image, hidden = torch.rand(shape), torch.from_numpy(mask())
    found = filled(image, hidden)
    assert torch.equal(found[..., ~hidden], image[..., ~hidden])
    expected = image[..., ~hidden].mean(-1, keepdim=True).expand(found[..., hidden].shape)
    torch.testing.assert_close(found[..., hidden], expected)
    assert torch.isfinite(filled(image, torch.ones_like(hidden))).all()


@pytest.mark.parametrize("seed", range(3))
def test_ignored_places_repeat_the_nearest_inspected_one(seed) -> None:
    hidden = torch.rand(9, 11, generator=torch.Generator().manual_seed(seed)) < 0.7
    ignored, maps = Ignored.of(hidden), torch.rand(2, 3, 9, 11)
    found = ignored.repeated(maps)
    places = torch.nonzero(~hidden).float()
    assert ignored.inspected == len(places)
    for row, column in torch.nonzero(hidden).tolist():
        distance = (places - torch.tensor([row, column])).norm(dim=1)
        nearest = places[distance <= distance.min() + 1e-6].long()
        assert any(torch.equal(found[..., row, column], maps[..., y, x]) for y, x in nearest)
    assert torch.equal(found[..., ~hidden], maps[..., ~hidden])


@pytest.mark.parametrize("size", [(60, 80), (33, 40), (200, 90)])
def test_what_surrounds_an_ignored_place_goes_on_in_it(size) -> None:
    """A slope goes on as a slope turned round, and no seam is left."""
    found = IgnoreMask.of(mask())
    numbers = reflection(found.text(), *size)
    hidden = found.touched(*size)
    own = torch.arange(hidden.numel())
    assert torch.equal(numbers[~hidden.flatten()], own[~hidden.flatten()])
    assert not hidden.flatten()[numbers].any()
    rows = torch.arange(size[0], dtype=torch.float)[:, None].expand(size).flatten()[numbers]
    steps = rows.view(size).diff(dim=0).abs()
    assert steps[hidden[1:] != hidden[:-1]].max() <= 1, "each pixel at the edge repeats its like"


@pytest.mark.parametrize("fit", ["resize", "tile"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(60, 80), (90, 70, 3), (33, 200)])
def test_what_is_painted_there_never_gets_into_a_prepared_image(fit, kind, shape) -> None:
    form = tiny.input_format(channels=3, fit=fit, ignored=IgnoreMask.of(mask()).text())
    rng, top = np.random.default_rng(1), np.iinfo(kind).max
    image, other = (rng.integers(0, top, shape, endpoint=True).astype(kind) for _ in "ab")
    hidden = form.ignored_pixels(*shape[:2])
    painted = image.copy()
    painted[hidden] = other[hidden]
    assert torch.equal(form.prepare(painted), form.prepare(image))
    assert not torch.equal(form.prepare(other), form.prepare(image))
