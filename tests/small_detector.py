"""A calibrated, untrained detector and images for it, for the tests of export and serving."""

from dataclasses import replace

import numpy as np
import pandas as pd
import tiny
import torch
from scipy import ndimage

from hdm.dagm.bank import SampleBank
from hdm.dataset.input_format import resize
from hdm.detector.detector import HDM
from hdm.model_settings import Benign
from hdm.pom.discrimination.building import HeldOut, build_detector
from hdm.pom.discrimination.decidability_fit import GoodPictures, fit_decidability


def small_detector(channels: int = 1, fit: str = "resize", seed: int = 0, *,
                   decidable: bool = False, ignored: str = "", told: bool = False,
                   small: bool = False,
                   **over) -> HDM:
    form = tiny.input_format(channels=channels, fit=fit, height=48, detail=2.0, ignored=ignored)
    ddm = tiny.ddm(form, seed, **over)
    if ddm.prior is not None and not small:
        # Features of random weights vary by a thousandth. Trained latents have unit variance, or
        # rounding errors would count.
        space = ddm.prior.space
        ddm.prior.space = replace(space, whitening=1_000 * space.whitening)
    if told:
        ddm.told = torch.randn(8, generator=torch.Generator().manual_seed(seed))
    size = (form.height, form.width)
    # What is decidable is asked of plates, so that thresholds must come from them, too.
    parts = torch.stack([form.normalize(plate) for plate in plates(25, 1, channels)]) \
        if decidable else tiny.textures(25, channels=channels, size=96)
    good, prepared = resize(parts, size), list(resize(parts, form.prepared_size))
    bank = SampleBank(torch.zeros(0, channels, *size).half(),
                      torch.zeros(0, *size, dtype=torch.uint8), pd.DataFrame({"base": []}))
    normals = resize(tiny.textures(8, channels=channels, seed=2), size)
    held = HeldOut(prepared.__getitem__, len(prepared), good, bank, np.empty(0, int), 8)
    decidability = fit_decidability(ddm, good_pictures(24, channels=channels),
                                    good_pictures(16, seed=5, channels=channels), Benign(), 0.01,
                                    seed=0) if decidable else None
    return build_detector(ddm, normals, Benign(), held, {"line": "plate"},
                          decidability=decidability)[0]


def plates(count: int, seed: int = 0, channels: int = 1) -> list[np.ndarray]:
    """Native good pictures, 96 x 96, uint8: a bright plate with a fine grain on a dark ground, each
    in a light of its own."""
    generator = np.random.default_rng(seed)
    plate = np.zeros((96, 96))
    plate[14:86, 22:70] = 70
    out = []
    for _ in range(count):
        grain = ndimage.gaussian_filter(generator.standard_normal((96, 96)), 0.7) * 14
        image = (60 + plate + grain) * generator.uniform(0.9, 1.1)
        shown = np.clip(image, 1, 254).astype(np.uint8)
        out.append(shown if channels == 1 else np.repeat(shown[..., None], channels, 2))
    return out


def good_pictures(count: int, seed: int = 0, channels: int = 1, pictures_a_part: int = 1
                  ) -> GoodPictures:
    images = plates(count, seed, channels)
    return GoodPictures(images.__getitem__, [str(n // pictures_a_part) for n in range(count)])


def native(*shape: int, seed: int = 0, dtype: type = np.uint8) -> np.ndarray:
    top = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, top, shape, endpoint=True).astype(dtype)
