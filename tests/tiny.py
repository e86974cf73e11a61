"""Small stand-ins that the tests of several rooms share: formats, networks, images, lines."""

import json
import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from hdm.backbone.encoder import Encoder
from hdm.backbone.lite0 import Lite0
from hdm.dataset.input_format import InputFormat
from hdm.detector.ddm import DDM
from hdm.detector.ensemble import Ensemble
from hdm.diffusion.compute import Backend
from hdm.diffusion.latent_prior import LatentPrior
from hdm.diffusion.latent_space import LatentSpace
from hdm.diffusion.place_denoiser import EVERYTHING, NOTHING, PlaceDenoiser, Told
from hdm.model_settings import (
    Compute,
    DagmFit,
    DdmTrain,
    Denoiser,
    PlaceNetwork,
    Training,
)

COMPUTE = Compute(device="cpu", precision="fp32", threads=1)
NETWORK = Denoiser(stem=4, widths=(16,), blocks=1)


def input_format(size: int = 32, channels: int = 1, fit: str = "resize",
                 height: int | None = None, scale: float = 1.0, detail: float = 1.0,
                 ignored: str = "") -> InputFormat:
    return InputFormat(height or size, size, channels, 0.2, 0.8, fit, scale, detail, ignored)


def dagm_settings(**over) -> DagmFit:
    return DagmFit(dimensions=8, network=PlaceNetwork(width=16, blocks=1), views=2,
                   training=Training(steps=3, batch=64), **over)


def ddm_settings(**over) -> DdmTrain:
    return DdmTrain(network=NETWORK, training=Training(steps=3, batch=4), **over)


def randomised(network: nn.Module, seed: int, scale: float = 0.05) -> nn.Module:
    """Fill all weights, the ones that start at zero as well, so that outputs are not trivial."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(scale * torch.randn(parameter.shape, generator=generator))
    return network


def encoder(seed: int = 0) -> Encoder:
    """The encoder with random weights: nothing is read, and features depend on the image."""
    torch.manual_seed(seed)
    return Encoder(Lite0(), torch.device("cpu"))


def prior(seed: int = 0, *, told: Told = NOTHING, **over) -> LatentPrior:
    """A random, untrained latent prior of 8 dimensions."""
    settings, made = dagm_settings(**over), encoder(seed)
    generator = torch.Generator().manual_seed(seed)
    whitening = torch.randn(made.channels, settings.dimensions, generator=generator)
    space = LatentSpace(torch.zeros(made.channels), whitening)
    network = randomised(PlaceDenoiser(settings.dimensions, settings.network), seed)
    return LatentPrior(made, space, network, settings, told=told)


def whitened(raw: LatentPrior, images: Tensor) -> LatentPrior:
    """The prior with latents that have unit variance on these images, as trained ones do."""
    vectors = raw.encoder.encode(images).movedim(1, -1).flatten(0, 2).double()
    space = LatentSpace.fit(vectors.mean(0), vectors.T.cov(correction=0), raw.dimensions)
    return LatentPrior(raw.encoder, space, raw.network, raw.settings, told=raw.told)


def ddm(form: InputFormat, seed: int = 0, *, backbone: bool = True, **over) -> DDM:
    """A discriminative module with random weights."""
    settings = ddm_settings(**over)
    torch.manual_seed(seed)  # or it would depend on the tests before
    network = randomised(Ensemble(form.channels, settings, seeing=backbone), seed, scale=0.1)
    latent = prior(seed, told=EVERYTHING) if backbone else None
    return DDM(form, latent, network, settings, Backend(COMPUTE))


def textures(count: int, size: int = 32, channels: int = 1, seed: int = 0) -> Tensor:
    """Gratings with a random phase and a little noise, (N, C, H, W) in about [-1, 1]."""
    generator = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    phase = torch.rand(count, 1, 1, generator=generator) * 2 * math.pi
    waves = 0.7 * torch.sin(2 * math.pi * x / 8 + phase) * torch.cos(2 * math.pi * y / 16)
    images = waves[:, None].repeat(1, channels, 1, 1)
    return images + 0.03 * torch.randn(images.shape, generator=generator)


def write_project(folder: Path, params: dict | None = None, line: dict | None = None) -> Path:
    """params.yaml and pipelines.yaml with the line `plate` that reads `images/`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "params.yaml").write_text(json.dumps(params or {}))
    entry = {"source": {"path": "images", "format": "folder"}, **(line or {})}
    (folder / "pipelines.yaml").write_text(json.dumps({"lines": {"plate": entry}}))
    return folder


def write_png(file: Path, image: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(file)
