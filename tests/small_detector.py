"""A calibrated, untrained detector and images for it, for the tests of export and serving."""

import numpy as np
import pandas as pd
import tiny
import torch

from hdm.dagm.bank import SampleBank
from hdm.dataset.input_format import resize
from hdm.detector.detector import HDM
from hdm.model_settings import Benign
from hdm.pom.discrimination.building import HeldOut, build_detector


def small_detector(channels: int = 1, fit: str = "resize", seed: int = 0, ignored: str = "",
                   **over) -> HDM:
    form = tiny.input_format(channels=channels, fit=fit, height=48, detail=2.0, ignored=ignored)
    ddm = tiny.ddm(form, seed, **over)
    size = (form.height, form.width)
    good = resize(tiny.textures(19, channels=channels, size=96), size)
    prepared = list(resize(tiny.textures(19, channels=channels, size=96), form.prepared_size))
    bank = SampleBank(torch.zeros(0, channels, *size).half(),
                      torch.zeros(0, *size, dtype=torch.uint8), pd.DataFrame({"base": []}))
    normals = resize(tiny.textures(8, channels=channels, seed=2), size)
    held = HeldOut(prepared.__getitem__, len(prepared), good, bank, np.empty(0, int), 8)
    return build_detector(ddm, normals, Benign(), held, {"line": "plate"})[0]


def native(*shape: int, seed: int = 0, dtype: type = np.uint8) -> np.ndarray:
    top = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, top, shape, endpoint=True).astype(dtype)
