"""Outlines drawn as masks: the pixels whose centres are inside, against closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdm.ingest.outlines import Polygon, RunLength, drawn
from hdm.ingest.readers.run_lengths import decode_counts


def box(left, top, right, bottom):
    return Polygon(((left, top), (right, top), (right, bottom), (left, bottom)))


COORDINATES = st.integers(0, 20)


@given(COORDINATES, COORDINATES, st.integers(1, 12), st.integers(1, 12))
def test_a_rectangle_on_pixel_edges_is_exact(left, top, width, height):
    mask = drawn([box(left, top, left + width, top + height)], 24, 24)
    expected = np.zeros((24, 24), bool)
    expected[top:top + height, left:left + width] = True
    assert (mask == expected).all()


@pytest.mark.parametrize("shift", [-0.4, 0.0, 0.3, 0.49])
def test_rounding_is_to_pixel_centres(shift):
    assert (drawn([box(2 + shift, 3, 6 + shift, 9)], 12, 12)
            == drawn([box(2, 3, 6, 9)], 12, 12)).all()


@pytest.mark.parametrize("radius", [5.0, 12.5, 30.0])
def test_the_area_of_a_circle(radius):
    angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    points = zip(40 + radius * np.cos(angles), 40 + radius * np.sin(angles), strict=True)
    circle = Polygon(tuple((float(x), float(y)) for x, y in points))
    assert circle.area == pytest.approx(np.pi * radius**2, rel=0.001)
    # Centres are counted: the error is of the order of the outline, not of a band one pixel wide.
    assert abs(drawn([circle], 80, 80).sum() - circle.area) < radius


@given(st.floats(1, 29), st.floats(1, 29))
def test_adjoining_parts_share_no_pixel(top, bottom):
    """What is left of a slanted line and what is right of it make up the picture."""
    left = Polygon(((-50, 0), (top, 0), (bottom, 30), (-50, 30)))
    right = Polygon(((top, 0), (90, 0), (90, 30), (bottom, 30)))
    assert (drawn([left], 30, 30).astype(int) + drawn([right], 30, 30) == 1).all()


@pytest.mark.parametrize("points", [
    ((3, 3), (9, 3), (6, 3)), ((2.6, 1), (2.7, 9), (2.8, 1)), ((5.1, 5.1), (5.2, 5.1), (5.2, 5.2))])
def test_what_is_too_thin_marks_where_it_runs(points):
    mask = drawn([Polygon(points)], 12, 12)
    assert 1 <= mask.sum() <= 9
    assert all(mask[int(y), int(x)] for x, y in points)


@pytest.mark.parametrize("outline", [box(-1e9, -1e9, 1e9, 1e9), box(-5, -5, 90, 90),
                                     box(0, 0, 8, 6)])
def test_what_lies_outside_is_cut_off(outline):
    assert drawn([outline], 6, 8).all()


def test_regions_are_joined():
    mask = drawn([box(0, 0, 2, 2), box(4, 4, 6, 6), RunLength(8, 8, (63, 1))], 8, 8)
    assert mask.sum() == 9 and mask[7, 7]


MASKS = st.tuples(st.integers(1, 7), st.integers(1, 7), st.integers(0, 2**32)).map(
    lambda size: np.random.default_rng(size[2]).random(size[:2]) < 0.5)


@given(MASKS)
def test_run_lengths_come_back(mask):
    region = RunLength.of(mask)
    assert (drawn([region], *mask.shape) == mask).all()
    assert region.area == mask.sum() and (region.counts[0] == 0) == mask[0, 0]


@pytest.mark.parametrize("counts", [(3, 4), (3, -1, 10), (), (13,)])
def test_run_lengths_of_another_size(counts):
    with pytest.raises(ValueError):
        RunLength.checked(3, 4, counts)
    with pytest.raises(ValueError):
        RunLength(3, 4, (12,)).draw(np.zeros((4, 3), np.uint8))


@pytest.mark.parametrize(("text", "counts"), [
    ("01500000005", (0, 1, 5, 1, 5, 1, 5, 1, 5, 1, 10)), ("06", (0, 6)), ("PVe3", (120000,)),
    ("n[2X1`2000RQ>", (2430, 40, 80, 40, 80, 40, 14450)), ("", ())])
def test_compressed_run_lengths(text, counts):
    """Vectors of pycocotools 2.0.11."""
    assert decode_counts(text) == counts


@pytest.mark.parametrize("text", ["\n", "0~", "P", "€"])
def test_what_is_no_compressed_text(text):
    with pytest.raises(ValueError):
        decode_counts(text)
