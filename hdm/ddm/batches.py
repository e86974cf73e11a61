"""What the discriminator is shown in training: good images and samples."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from hdm.dagm.bank import SampleBank
from hdm.dagm.mask_codes import CHANGED, is_known
from hdm.dagm.siblings import Siblings
from hdm.model_settings import Benign, DdmTrain
from hdm.training.augmentation import light, pose

CLEAN_SHARE = 0.4
PLAIN_FIRST = 0.35


class Batch(NamedTuple):
    """seen (N, C, H, W); mask (N, 1, H, W) in {0, 1}; weight (N, 1, H, W)."""

    seen: Tensor
    mask: Tensor
    weight: Tensor


class Batches:
    """Draws batches.

    Args:
        normals: (N, C, H, W) good images to train on; the bank's `base` counts in them.
        selection: (S,) rows of the bank to train on.
        ignored: (N, H, W) bool, what of the good images is not inspected; None where all is.
    """

    def __init__(self, normals: Tensor, bank: SampleBank, selection: Tensor,
                 settings: DdmTrain, benign: Benign, ignored: Tensor | None = None) -> None:
        self.normals, self.settings, self.benign = normals, settings, benign
        self.ignored = ignored
        self.selection, self.plain = selection, _plain(bank, selection)
        self.siblings = Siblings(bank, normals, ignored)

    def draw(self, step: int, generator: torch.Generator) -> Batch:
        """The batch of one step; all of its chances come from the generator."""
        early = step < PLAIN_FIRST * self.settings.training.steps
        drawn = self.scenes(self.plain if early else self.selection, generator)
        return augment(drawn, self.benign, generator)

    def scenes(self, rows: Tensor, generator: torch.Generator) -> Batch:
        """Good images first, then siblings of samples drawn from the bank's `rows` (S,)."""
        n = self.settings.training.batch
        clean = max(1, round(CLEAN_SHARE * n))
        chosen = torch.randint(len(self.normals), (clean,), generator=generator)
        good = self.normals[chosen]
        recipes = rows[torch.randint(len(rows), (n - clean,), generator=generator)]
        rng = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
        drawn = [self.siblings.draw(row, rng) for row in recipes.tolist()]
        seen, labels = (torch.stack(kind) for kind in zip(*drawn, strict=True))
        labels = labels[:, None]
        empty = torch.zeros(clean, 1, *good.shape[2:])
        mask = torch.cat([empty, (labels == CHANGED).float()])
        inspected = empty + 1 if self.ignored is None else (~self.ignored[chosen, None]).float()
        weight = torch.cat([inspected, is_known(labels).float()])
        return Batch(torch.cat([good, seen]), mask, weight)


def augment(batch: Batch, benign: Benign, generator: torch.Generator) -> Batch:
    """Benign change of what is seen, and of its labels where it moves."""
    images, labels = pose(batch.seen, torch.cat([batch.mask, batch.weight], 1), benign, generator)
    return Batch(light([images], benign, generator)[0], labels[:, :1], labels[:, 1:])


def _plain(bank: SampleBank, selection: Tensor) -> Tensor:
    """The plainer half of the samples.

    With faint defects from the start, hundreds of steps pass before anything is learned.
    """
    strength = torch.from_numpy(bank.table["strength"].to_numpy().copy())[selection]
    return selection[strength >= strength.median()]
