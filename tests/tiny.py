"""Small stand-ins that the tests of several rooms share: formats, networks, images, lines."""

import json
import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from hdm.dataset.input_format import InputFormat
from hdm.diffusion.compute import Backend
from hdm.diffusion.normal_prior import NormalPrior, build_network
from hdm.diffusion.schedule import NoiseSchedule
from hdm.model_settings import Compute, DagmFit, DdmTrain, Denoiser, Training

COMPUTE = Compute(device="cpu", precision="fp32", threads=1)
NETWORK = Denoiser(stem=4, widths=(16,), blocks=1)


def input_format(size: int = 32, channels: int = 1, fit: str = "resize",
                 height: int | None = None) -> InputFormat:
    return InputFormat(height or size, size, channels, 0.2, 0.8, fit)


def dagm_settings(**over) -> DagmFit:
    return DagmFit(network=NETWORK, training=Training(steps=3, batch=2), **over)


def ddm_settings(**over) -> DdmTrain:
    return DdmTrain(network=NETWORK, training=Training(steps=3, batch=4), **over)


def randomised(network: nn.Module, seed: int, scale: float = 0.05) -> nn.Module:
    """Fill all weights, the ones that start at zero as well, so that outputs are not trivial."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(scale * torch.randn(parameter.shape, generator=generator))
    return network


def prior(form: InputFormat | None = None, seed: int = 0, **over) -> NormalPrior:
    """A random, untrained prior."""
    form, settings = form or input_format(), dagm_settings(**over)
    torch.manual_seed(seed)
    network = randomised(build_network(form, settings), seed)
    schedule = NoiseSchedule(settings.timesteps, learned_variance=settings.learned_variance)
    return NormalPrior(network, schedule, form, settings, Backend(COMPUTE))


def textures(count: int, size: int = 32, channels: int = 1, seed: int = 0) -> Tensor:
    """Gratings with a random phase and a little noise, (N, C, H, W) in about [-1, 1]."""
    generator = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    phase = torch.rand(count, 1, 1, generator=generator) * 2 * math.pi
    waves = 0.7 * torch.sin(2 * math.pi * x / 8 + phase) * torch.cos(2 * math.pi * y / 16)
    images = waves[:, None].repeat(1, channels, 1, 1)
    return images + 0.03 * torch.randn(images.shape, generator=generator)


class GaussianDenoiser(nn.Module):
    """The optimal denoiser of images whose orthonormal DCT modes are independent N(0, spectrum).

    E[x_0 | x_t] = sqrt(abar) v / (abar v + 1 - abar) x_t in each mode, handed out as velocity.
    `variance_output` is what it says of Sigma, -1 posterior variance to 1 beta; None: nothing.
    """

    def __init__(self, spectrum: Tensor, schedule: NoiseSchedule,
                 variance_output: float | None = None) -> None:
        super().__init__()
        self.spectrum, self.schedule, self.variance_output = spectrum, schedule, variance_output

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        t = (level * (self.schedule.timesteps - 1)).round().long()
        abar = self.schedule.alpha_bar(t).double()
        gain = abar.sqrt() * self.spectrum / (abar * self.spectrum + 1 - abar)
        clean = from_modes(gain * to_modes(x.double()))
        velocity = ((abar.sqrt() * x - clean) / (1 - abar).sqrt()).float()
        if self.variance_output is None:
            return velocity
        return torch.cat([velocity, torch.full_like(velocity, self.variance_output)], 1)


def dct(side: int) -> Tensor:
    """Orthonormal DCT-II, (side, side), rows are modes from coarse to fine."""
    k, n = torch.arange(side).double()[:, None], torch.arange(side).double()[None]
    rows = torch.cos(math.pi * (n + 0.5) * k / side) * (2 / side) ** 0.5
    rows[0] /= 2**0.5
    return rows


def to_modes(images: Tensor) -> Tensor:
    basis = dct(images.shape[-1])
    return basis @ images.double() @ basis.T


def from_modes(modes: Tensor) -> Tensor:
    basis = dct(modes.shape[-1])
    return basis.T @ modes @ basis


def gaussian_prior(spectrum: Tensor, timesteps: int = 1000,
                   variance_output: float | None = None) -> NormalPrior:
    """A prior that knows the distribution exactly."""
    learned = variance_output is not None
    schedule = NoiseSchedule(timesteps, learned_variance=learned)
    form = input_format(spectrum.shape[-1])
    settings = dagm_settings(timesteps=timesteps, learned_variance=learned)
    return NormalPrior(GaussianDenoiser(spectrum, schedule, variance_output), schedule, form,
                       settings, Backend(COMPUTE))


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
