"""What is trained on does not depend on the format: training is a function of these tensors."""

import pytest
import torch
from picture_formats import CELLS, DEPTHS, of_depth
from plates import plate
from small_sources import run

from hdm.dataset.tensors import load_normals, measure_format
from hdm.model_settings import Image

LOSSLESS = [(depth, name) for depth, name in CELLS
            if name != "png" and not DEPTHS[depth][0][name].tolerance]


def learned(root, depth, name):
    """Input format and tensor of a line of twelve plates."""
    form = DEPTHS[depth][0][name]
    for number in range(12):
        file = root / f"good/{number:03d}{form.suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        form.write(file, of_depth(plate(number), depth))
    normals = run(root).manifest
    measured = measure_format(normals, Image(size=32))
    return measured, load_normals(normals, measured, seed=0)


@pytest.mark.parametrize("depth, name", LOSSLESS)
def test_tensors_are_those_of_the_same_pictures_as_png(tmp_path, depth, name):
    form, images = learned(tmp_path / "this", depth, name)
    other, same = learned(tmp_path / "png", depth, "png")
    assert form == other
    assert torch.equal(images, same)
