"""What the discriminator is shown in training: good images and samples, at some transparency."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from hdm.dagm.bank import SampleBank
from hdm.dagm.mask_codes import CHANGED, IGNORED
from hdm.dagm.siblings import Siblings
from hdm.ddm.augmentation import light, pose
from hdm.detector.reverse_process import state, transparencies
from hdm.model_settings import Benign, DdmTrain

CLEAN_SHARE = 0.4
NOISY_SHARE = 0.8
SHOWN_PREVIOUS = 0.5
PLAIN_FIRST = 0.35


class Scenes(NamedTuple):
    """normal, seen (N, C, H, W); mask (N, 1, H, W) in {0, 1}; weight (N, 1, H, W)."""

    normal: Tensor
    seen: Tensor
    mask: Tensor
    weight: Tensor


class Batch(NamedTuple):
    """One training step: the state z of the process, transparency b (N,) and the mask as the step
    before might have guessed it are shown; normal, mask and weight are the answer.

    noise is like z for the prior's appearance of it, or (N, 0) where the prior is not asked.
    """

    z: Tensor
    b: Tensor
    previous: Tensor
    noise: Tensor
    normal: Tensor
    mask: Tensor
    weight: Tensor


class Batches:
    """Draws batches.

    Args:
        normals: (N, C, H, W) good images to train on; the bank's `base` counts in them.
        selection: (S,) rows of the bank to train on.
    """

    def __init__(self, normals: Tensor, bank: SampleBank, selection: Tensor,
                 settings: DdmTrain) -> None:
        self.normals, self.settings = normals, settings
        self.selection, self.plain = selection, _plain(bank, selection)
        self.siblings = Siblings(bank, normals)
        self.levels = torch.tensor(transparencies(settings.reverse_steps))

    def draw(self, step: int, generator: torch.Generator) -> Batch:
        """The batch of one step; all of its chances come from the generator."""
        early = step < PLAIN_FIRST * self.settings.training.steps
        scenes = self.scenes(self.plain if early else self.selection, generator)
        scenes = augment(scenes, self.settings.benign, generator)
        n = len(scenes.seen)
        b = self.levels[torch.randint(len(self.levels), (n,), generator=generator)]
        z, previous = scenes.seen, torch.zeros_like(scenes.mask)
        if bool((b < 1).any()):
            z = self._state(scenes, b, generator)
            previous = previous_guess(scenes.mask, b, generator)
        asked = self.settings.prior_level is not None
        noise = torch.randn(z.shape, generator=generator) if asked else torch.empty(n, 0)
        return Batch(z, b, previous, noise, scenes.normal, scenes.mask, scenes.weight)

    def _state(self, scenes: Scenes, b: Tensor, generator: torch.Generator) -> Tensor:
        n = len(b)
        noisy = torch.rand(n, generator=generator) < NOISY_SHARE
        sigma = torch.rand(n, generator=generator) * self.settings.noise * noisy
        noise = torch.randn(scenes.seen.shape, generator=generator)
        return state(scenes.normal, scenes.seen, b, torch.where(b < 1, sigma, 0.0), noise)

    def scenes(self, rows: Tensor, generator: torch.Generator) -> Scenes:
        """Good images first, then siblings of samples drawn from the bank's `rows` (S,)."""
        n = self.settings.training.batch
        clean = max(1, round(CLEAN_SHARE * n))
        good = self.normals[torch.randint(len(self.normals), (clean,), generator=generator)]
        recipes = rows[torch.randint(len(rows), (n - clean,), generator=generator)]
        rng = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
        drawn = [self.siblings.draw(row, rng) for row in recipes.tolist()]
        normal, seen, labels = (torch.stack(kind) for kind in zip(*drawn, strict=True))
        labels = labels[:, None]
        empty = torch.zeros(clean, 1, *good.shape[2:])
        mask = torch.cat([empty, (labels == CHANGED).float()])
        weight = torch.cat([empty + 1, (labels != IGNORED).float()])
        return Scenes(torch.cat([good, normal]), torch.cat([good, seen]), mask, weight)


def augment(scenes: Scenes, benign: Benign, generator: torch.Generator) -> Scenes:
    """Benign change, the same for what is seen and for what is normal."""
    channels = scenes.seen.shape[1]
    images, labels = pose(torch.cat([scenes.normal, scenes.seen], 1),
                          torch.cat([scenes.mask, scenes.weight], 1), benign, generator)
    normal, seen = light([images[:, :channels], images[:, channels:]], benign, generator)
    return Scenes(normal, seen, labels[:, :1], labels[:, 1:])


def previous_guess(mask: Tensor, b: Tensor, generator: torch.Generator) -> Tensor:
    """The earlier step's mask as it might have been: nothing, blurred, shrunk or grown.

    The first step (b = 1) has none.
    """
    n, size = len(mask), 5
    soft = F.avg_pool2d(mask, size, 1, size // 2)
    sharpness = 0.5 + 4 * torch.rand(n, 1, 1, 1, generator=generator)
    shift = torch.rand(n, 1, 1, 1, generator=generator) - 0.5
    guess = torch.sigmoid(4 * sharpness * (soft - 0.4 + 0.6 * shift))
    guess = guess - torch.sigmoid(4 * sharpness * (-0.4 + 0.6 * shift))
    shown = torch.rand(n, 1, 1, 1, generator=generator) < SHOWN_PREVIOUS
    later = (b < 1).view(-1, 1, 1, 1)
    return guess.clamp(0, 1) * shown * later


def _plain(bank: SampleBank, selection: Tensor) -> Tensor:
    """The plainer half of the samples.

    With faint defects from the start, hundreds of steps pass before anything is learned.
    """
    strength = torch.from_numpy(bank.table["strength"].to_numpy().copy())[selection]
    return selection[strength >= strength.median()]
