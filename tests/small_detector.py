"""A calibrated, untrained detector and images for it, for the tests of export and serving."""

import numpy as np
import pandas as pd
import tiny
import torch

from hdm.dagm.bank import SampleBank
from hdm.dataset.input_format import resize
from hdm.detector.ddm import DDM
from hdm.detector.detector import HDM
from hdm.detector.ensemble import Ensemble
from hdm.pom.discrimination.building import HeldOut, build_detector


def small_detector(channels: int = 1, fit: str = "resize", seed: int = 0, **over) -> HDM:
    settings = tiny.ddm_settings(**over)
    network = tiny.randomised(Ensemble(channels, settings), seed, scale=0.1)
    prior = tiny.prior(tiny.input_format(channels=channels, fit=fit, height=48))
    size = (prior.form.height, prior.form.width)
    good = resize(tiny.textures(19, channels=channels), size)
    bank = SampleBank(torch.zeros(0, channels, *size).half(),
                      torch.zeros(0, *size, dtype=torch.uint8), pd.DataFrame({"base": []}))
    normals = resize(tiny.textures(8, channels=channels, seed=2), size)
    return build_detector(DDM(prior, network, settings), normals,
                          HeldOut(list(good), good, bank, np.empty(0, int)), {"line": "plate"})[0]


def native(*shape: int, seed: int = 0, dtype: type = np.uint8) -> np.ndarray:
    top = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, top, shape, endpoint=True).astype(dtype)
