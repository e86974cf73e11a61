"""The sheet of samples for people."""

import numpy as np
import pandas as pd
import tiny
import torch
from PIL import Image

from hdm.dagm.bank import SampleBank
from hdm.dagm.sample_sheet import COLUMNS, MARGIN, TEXT_HEIGHT, outline, picture, sample_sheet


def test_picture_maps_the_range_to_grey_levels():
    values = np.array([[[-1, 0, 1, -9, 9]]], dtype=np.float32)
    grey = np.asarray(picture(values))
    assert grey.shape == (1, 5, 3)
    assert grey[0, :, 0].tolist() == [10, 127, 245, 0, 255]
    colour = np.asarray(picture(np.zeros((3, 4, 5), np.float32)))
    assert colour.shape == (4, 5, 3)


def test_outline_surrounds_and_does_not_cover():
    labels = np.zeros((20, 20), np.uint8)
    labels[8:12, 8:12] = 1
    drawn = np.asarray(outline(Image.new("RGB", (20, 20)), labels))
    red = (drawn == (230, 30, 30)).all(2)
    assert red.any() and not red[8:12, 8:12].any() and not red[:5].any()


def test_sheet_has_a_row_a_source_and_is_reproducible():
    table = pd.DataFrame({"base": [0, 1] * 4, "source": ["fill"] * 7 + ["shuffle"],
                          "family": "band"})
    bank = SampleBank(torch.zeros(8, 1, 32, 32).half(), torch.zeros(8, 32, 32).byte(), table)
    normals = tiny.textures(2)
    sheet = sample_sheet(bank, normals, seed=0)
    assert sheet.size == (COLUMNS * (32 + MARGIN) + MARGIN,
                          2 * (64 + TEXT_HEIGHT + MARGIN) + MARGIN)
    assert sheet.tobytes() == sample_sheet(bank, normals, seed=0).tobytes()
    captions = [f"kept {i}" for i in range(8)]
    assert sheet.tobytes() != sample_sheet(bank, normals, seed=0, captions=captions).tobytes()
