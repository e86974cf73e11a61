"""The normal prior: a diffusion model of the line's good images, as it is asked once trained."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from hdm.dataset.input_format import InputFormat
from hdm.diffusion.compute import Backend
from hdm.diffusion.schedule import NoiseSchedule
from hdm.diffusion.unet import UNet
from hdm.errors import HDMError
from hdm.files import atomic_file, read_json, write_json
from hdm.model_settings import DagmFit

EXPLAINED_AT = (0.1, 0.25, 0.5)


class NormalPrior:
    """A trained denoiser with its noise schedule and input format.

    Images are (N, channels, height, width) in the format's normalised range.
    """

    def __init__(self, network: nn.Module, schedule: NoiseSchedule, form: InputFormat,
                 settings: DagmFit, backend: Backend) -> None:
        self.network = backend.place(network).eval()
        self.schedule, self.form, self.settings, self.backend = schedule, form, settings, backend

    @torch.no_grad()
    def denoise(self, x_t: Tensor, t: Tensor) -> tuple[Tensor, Tensor | None]:
        """One-step estimate of x_0 and the network's variance output (None if not learned)."""
        with self.backend.autocast():
            out = self.network(x_t, self.schedule.level(t)).float()
        velocity, variance = split_output(out, self.form.channels)
        return self.schedule.clean_from_velocity(x_t, velocity, t), variance

    def normal_appearance(self, images: Tensor, level: float, noise: Tensor) -> Tensor:
        """What normal looks like where `images` are: noise to `level`, one step back.

        `noise` is standard normal, like `images` or (1, C, H, W) for all of them.
        """
        t = torch.full((images.shape[0],), self.schedule.timestep(level), device=images.device)
        noise = noise.to(images.device).expand_as(images)
        return self.denoise(self.schedule.add_noise(images, noise, t), t)[0]

    def denoising_error(self, images: Tensor, level: float, noise: Tensor) -> Tensor:
        """Squared error of the one-step estimate, mean over channels, (N, H, W).

        The weighted sum over levels bounds the negative log-likelihood (Ho et al. 2020, eq. 12).
        """
        return (self.normal_appearance(images, level, noise) - images).pow(2).mean(1)

    def explained(self, normals: Tensor, seed: int = 0) -> dict[str, float]:
        """Share of the images' variance that one-step estimates explain, at three levels."""
        variance = (normals - normals.mean((2, 3), keepdim=True)).pow(2).mean().clamp(min=1e-6)
        shares = {}
        for level in EXPLAINED_AT:
            noise = torch.randn(normals.shape, generator=torch.Generator().manual_seed(seed))
            errors = torch.cat([
                self.denoising_error(part.to(self.backend.device), level, eps)
                for part, eps in zip(normals.split(32), noise.split(32), strict=True)])
            shares[f"{level:g}"] = 1 - (errors.mean().cpu() / variance).item()
        return shares

    def save(self, folder: Path) -> None:
        """Write prior.safetensors and prior.json into an existing folder."""
        with atomic_file(folder / "prior.safetensors") as temporary:
            temporary.write_bytes(save(
                {k: v.contiguous() for k, v in self.network.state_dict().items()}))
        write_json(folder / "prior.json", {
            "input": self.form.as_dict(), "settings": self.settings.model_dump(mode="json")})

    @classmethod
    def load(cls, folder: Path, backend: Backend) -> "NormalPrior":
        """Raises HDMError if the files are missing or do not fit together."""
        content: dict[str, Any] = read_json(folder / "prior.json")
        try:
            settings = DagmFit.model_validate(content["settings"])
            form = InputFormat(**content["input"])
        except (KeyError, TypeError, ValueError):
            raise HDMError(f"{folder / 'prior.json'} does not describe a prior of this version; "
                           "restore it with `dvc checkout` or train again.") from None
        network = build_network(form, settings)
        load_weights(network, folder / "prior.safetensors")
        schedule = NoiseSchedule(settings.timesteps, learned_variance=settings.learned_variance)
        return cls(network, schedule, form, settings, backend)


def load_weights(network: nn.Module, file: Path) -> None:
    """Load safetensors weights; raises HDMError if they are corrupt or of another network."""
    try:
        network.load_state_dict(load_file(file))
    except Exception as error:
        raise HDMError(f"the weights {file} cannot be loaded ({str(error).splitlines()[0]}); "
                       "restore them with `dvc checkout` or train again.") from error


def build_network(form: InputFormat, settings: DagmFit) -> UNet:
    """The untrained prior: velocity, and variance if it is learned."""
    outputs = form.channels * (2 if settings.learned_variance else 1)
    return UNet(form.channels, outputs, settings.network)


def split_output(out: Tensor, channels: int) -> tuple[Tensor, Tensor | None]:
    """The network's output as velocity and variance, each of `channels`; None if not learned."""
    return out[:, :channels], (out[:, channels:] if out.shape[1] > channels else None)
