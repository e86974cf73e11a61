"""The latent prior: a diffusion model of the features of a line's good images.

The paper's diffusion works on latents z; here they are whitened features of a small frozen encoder,
one vector a place. What the prior says of a place is evidence: how far its latent is from what the
reverse process makes of it, and how improbable the noise is that it would have come from.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from hdm.backbone.encoder import Encoder, edge_repeated
from hdm.diffusion.angles import clean_and_noise, noised
from hdm.diffusion.latent_space import LatentSpace, positions
from hdm.diffusion.place_denoiser import PlaceDenoiser, Told
from hdm.errors import HDMError
from hdm.files import atomic_file, below, read_json, write_json
from hdm.model_settings import DagmFit

PRIOR, FACTS = "prior.safetensors", "prior.json"
RESIDUAL_LEVELS = (0.5,)
INVERSION = (0.02, 0.34, 0.66, 0.98)
"""Noise levels that the deterministic process passes from the latent to its noise: K = 3 steps
(InvAD, 2025)."""
NOISE_SEED = 20_252_200
SMALLEST = 1e-3
"""Of a squared distance per dimension, before its logarithm is taken."""
KINDS = len(RESIDUAL_LEVELS) + 1
AT_ONCE = 4
"""Images whose latents are best judged together: of more they leave the processor's cache."""


class LatentPrior:
    """Encoder, latent space and denoiser. `told`: what the denoiser is told of a latent."""

    def __init__(self, encoder: Encoder, space: LatentSpace, network: PlaceDenoiser,
                 settings: DagmFit, *, told: Told) -> None:
        self.encoder, self.space, self.settings = encoder, space, settings
        self.network = network.to(encoder.device).eval().requires_grad_(False)
        self.told = told

    @property
    def dimensions(self) -> int:
        """Of a latent."""
        return self.space.whitening.shape[1]

    def latents(self, images: Tensor) -> Tensor:
        """(N, C, H, W) as `InputFormat.for_encoder` gives them -> (N, D, H/8, W/8)."""
        return self.space.latents(self.encoder.encode(images))

    @torch.no_grad()
    def denoise(self, state: Tensor, level: float, places: Tensor | None = None,
                means: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """E[z_0 | z_t] and the noise that goes with it, of states (P, D). Of `places` (P, 2), and
        of the mean latents of their images (P, D), the denoiser is told what is given."""
        given = Told(places is not None, means is not None)
        where = state.new_zeros(len(state), 2) if places is None else places.to(state.device)
        image = torch.zeros_like(state) if means is None else means.to(state.device)
        at = torch.full((1,), level, device=state.device)
        v = self.network(state[None], at, where[None], image[None], state.new_tensor([given]))[0]
        return clean_and_noise(state, v, level)

    def evidence(self, latents: Tensor, levels: Sequence[float] = RESIDUAL_LEVELS) -> Tensor:
        """(N, D, h, w), sides 3 or more -> (N, levels + 1, h, w): logarithms of how far each place
        is from what is normal there, per dimension. First the residuals ||E[z_0 | z_t] - z_0||^2 at
        the levels, the same noise for every image; then the norm of the noise that K steps of
        deterministic inversion lead to. The maps are `edge_repeated`.

        Only the inversion is told of the image: it asks what is normal in this picture, and the
        residual what is normal on the line, or a picture that is strange all over would explain
        itself away."""
        n, width, height, columns = latents.shape
        places = positions(height, columns).repeat(n, 1) if self.told.place else None
        means = mean_latents(latents)[:, None].expand(n, height * columns, width).flatten(0, 1) \
            if self.told.image else None
        clean = latents.movedim(1, -1).flatten(0, 2).to(self.encoder.device)
        noise = fixed_noise(height * columns, width).repeat(n, 1).to(clean.device)
        found = [self.residual(clean, noise, level, places) for level in levels]
        found.append(self.inversion(clean, places, means).pow(2).mean(1))
        maps = torch.stack(found, -1).clamp(min=SMALLEST).log().cpu()
        return edge_repeated(maps.view(n, height, columns, len(found)).movedim(-1, 1))

    def residual(self, clean: Tensor, noise: Tensor, level: float, places: Tensor | None = None,
                 means: Tensor | None = None) -> Tensor:
        """Squared error of the one-step estimate of latents (P, D), mean over dimensions, (P,)."""
        clean, noise = clean.to(self.encoder.device), noise.to(self.encoder.device)
        estimate, _ = self.denoise(noised(clean, noise, level), level, places, means)
        return (estimate - clean).pow(2).mean(1)

    def inversion(self, clean: Tensor, places: Tensor | None = None, means: Tensor | None = None
                  ) -> Tensor:
        """The noise that K deterministic steps lead latents (P, D) to (DDIM inversion)."""
        state = clean
        for level, following in pairwise(INVERSION):
            estimate, noise = self.denoise(state, level, places, means)
            state = noised(estimate, noise, following)
        return state

    def save(self, folder: Path) -> None:
        """Write prior.safetensors, prior.json and the encoder's weights into a folder."""
        tensors = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {"space.mean": self.space.mean, "space.whitening": self.space.whitening}
        with atomic_file(folder / PRIOR) as temporary:
            temporary.write_bytes(save({k: v.contiguous().cpu() for k, v in tensors.items()}))
        self.encoder.save(folder)
        write_json(folder / FACTS, {"told": self.told._asdict(),
                                    "settings": self.settings.model_dump(mode="json")})

    @classmethod
    def load(cls, folder: Path, device: torch.device) -> "LatentPrior":
        """Raises HDMError if the files are missing or do not fit together."""
        content: dict[str, Any] = read_json(folder / FACTS)
        try:
            settings = DagmFit.model_validate(content["settings"])
            told = Told(**content["told"])
            tensors = load_file(folder / PRIOR)
            space = LatentSpace(tensors["space.mean"], tensors["space.whitening"])
            network = PlaceDenoiser(space.whitening.shape[1], settings.network)
            network.load_state_dict(below(tensors, "network."))
        except Exception as error:
            raise HDMError(f"the latent prior in {folder} cannot be read "
                           f"({str(error).splitlines()[0]}); restore it with `dvc checkout` or "
                           "train again.") from error
        return cls(Encoder.load(folder, device), space, network, settings, told=told)


def mean_latents(latents: Tensor) -> Tensor:
    """Of images' latents (N, D, h, w) the mean over all places, (N, D)."""
    return latents.mean((2, 3))


@lru_cache(8)
def fixed_noise(places: int, dimensions: int, seed: int = NOISE_SEED) -> Tensor:
    """The noise of every image, (places, dimensions): an answer depends on the image alone."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(places, dimensions, generator=generator)
