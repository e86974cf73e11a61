"""The denoiser of latents, place by place.

One vector at a time: a network that sees its neighbours copies a defect from them and finds it
normal (docs/experiments.md, "Diffusion on latents"). Two things may be told of it or not: where the
place stands on the part, and the mean latent of its image, which says how this picture looks as a
whole and nothing of a small defect. Each is told in half of the training, so that one network
answers all ways.
"""

import math
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hdm.model_settings import PlaceNetwork

FREQUENCIES, HIGHEST = 16, 100.0
"""Of the noise level's sines, up to 100 radians a unit."""
PLACE_OCTAVES = 4
LEVEL_WIDTH = 64
SMALLEST_SPREAD = 0.01
"""Of images' mean latents: what hardly differs between them is not blown up."""


class Told(NamedTuple):
    """Whether the denoiser is told a latent's place, and its image's mean latent."""

    place: bool
    image: bool


CHOICES = tuple(Told(*chosen) for chosen in product((False, True), repeat=len(Told._fields)))
NOTHING, EVERYTHING = CHOICES[0], CHOICES[-1]


class PlaceDenoiser(nn.Module):
    """Residual perceptron on latents of D dimensions, scaled and shifted by the noise level."""

    frequencies: Tensor
    octaves: Tensor
    spread: Tensor

    def __init__(self, dimensions: int, settings: PlaceNetwork) -> None:
        super().__init__()
        self.width, self.blocks = settings.width, settings.blocks
        self.latent = nn.Linear(dimensions, self.width)
        self.place = nn.Linear(4 * PLACE_OCTAVES + 1, self.width)
        self.image = nn.Linear(dimensions + 1, self.width)
        self.level = nn.Sequential(nn.Linear(2 * FREQUENCIES, LEVEL_WIDTH), nn.SiLU(),
                                   nn.Linear(LEVEL_WIDTH, 2 * self.width * self.blocks))
        self.first = nn.ModuleList(nn.Linear(self.width, self.width) for _ in range(self.blocks))
        self.second = nn.ModuleList(nn.Linear(self.width, self.width) for _ in range(self.blocks))
        self.answer = nn.Linear(self.width, dimensions)
        for layer in (self.answer, self.level[2], *self.second):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.register_buffer("frequencies", torch.exp(
            torch.linspace(0, math.log(HIGHEST), FREQUENCIES)), persistent=False)
        self.register_buffer("octaves", math.pi * 2.0 ** torch.arange(PLACE_OCTAVES),
                             persistent=False)
        self.register_buffer("spread", torch.ones(dimensions))

    def standardize(self, means: Tensor) -> None:
        """Take the unit of images' mean latents from those of training images, (I, D)."""
        self.spread.copy_(means.std(0, correction=0).clamp(min=SMALLEST_SPREAD))

    def forward(self, state: Tensor, level: Tensor, place: Tensor, mean: Tensor, told: Tensor
                ) -> Tensor:
        """Velocities (G, P, D) of G groups of P states z_t (G, P, D) of one noise level a group.

        level (G,) in [0, 1]; place (G, P, 2) in [0, 1]; mean (G, P, D), the mean latent of each
        one's image; told (G, 2): 1 where the place, and where the mean is given, else 0.
        """
        turns = place[..., None] * self.octaves
        where = torch.cat([turns.sin().flatten(-2), turns.cos().flatten(-2),
                           torch.ones_like(place[..., :1])], -1) * told[:, None, :1]
        image = torch.cat([mean / self.spread, torch.ones_like(mean[..., :1])],
                          -1) * told[:, None, 1:]
        turns = level[:, None] * self.frequencies
        change = self.level(torch.cat([turns.sin(), turns.cos()], 1))
        change = change.view(level.shape[0], self.blocks, 2, 1, self.width)
        x = self.latent(state) + self.place(where) + self.image(image)
        for number, (first, second) in enumerate(zip(self.first, self.second, strict=True)):
            shown = F.layer_norm(x, (self.width,)).to(change.dtype)
            shown = shown * (1 + change[:, number, 0]) + change[:, number, 1]
            x = x + second(F.relu(first(shown)))
        velocity: Tensor = self.answer(F.layer_norm(x, (self.width,)))
        return velocity
