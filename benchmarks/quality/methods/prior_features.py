"""What HDM's prior has learned of good images, read as features of its U-Net's way down."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.quality.methods.gaussians import Gaussians
from benchmarks.quality.methods.method import Clock, Fitted, Task
from benchmarks.quality.methods.neighbours import Neighbours
from hdm.diffusion.normal_prior import NormalPrior

LEVEL = 0.1
"""Noise level: enough that the network denoises, little enough that small defects survive."""
CHANNELS = 64
"""Random choice among all channels, as PaDiM makes it, so that covariances can be estimated."""
NOISE_SEED = 71
BATCH = 32


def fit(prior: NormalPrior, task: Task) -> dict[str, Fitted]:
    """Gaussians a position, and the distance to a coreset, by the names of the methods."""
    clock = Clock()
    read = Features(prior, task.seed)
    with clock.stage("features"):
        features = read(task.train)
    return {"prior-padim": _fitted(read, task, clock, lambda: Gaussians(features).score),
            "prior-patchcore": _fitted(read, task, clock,
                                       lambda: Neighbours(features, task.seed).score)}


def _fitted(read: "Features", task: Task, features: Clock,
            model: Callable[[], Callable[..., tuple[Tensor, Tensor]]]) -> Fitted:
    clock = Clock()
    with clock.stage("model"):
        score = model()
    size = (task.form.height, task.form.width)
    return Fitted(lambda x: score(read(x), size), seconds=features.seconds | clock.seconds)


class Features:
    """Images (N, C, H, W) -> features (N, 64, h, w) on the grid of the U-Net's first stage.

    Every image gets the same noise, so that its features do not depend on its neighbours.
    """

    def __init__(self, prior: NormalPrior, seed: int) -> None:
        self.prior = prior
        channels = sum(prior.settings.network.widths)
        chosen = torch.randperm(channels, generator=torch.Generator().manual_seed(seed))
        self.chosen = chosen[:CHANNELS].sort().values

    def __call__(self, images: Tensor) -> Tensor:
        return torch.cat([self._read(part) for part in images.split(BATCH)])

    def _read(self, images: Tensor) -> Tensor:
        stages: list[Tensor] = []
        hooks = [stage[-1].register_forward_hook(lambda _, __, out: stages.append(out.float()))
                 for stage in self.prior.network.down]
        noise = torch.randn(1, *images.shape[1:],
                            generator=torch.Generator().manual_seed(NOISE_SEED))
        try:
            self.prior.normal_appearance(images.to(self.prior.backend.device), LEVEL, noise)
        finally:
            for hook in hooks:
                hook.remove()
        size = stages[0].shape[-2:]
        planes = [F.interpolate(stage, size=size, mode="bilinear", align_corners=False)
                  for stage in stages]
        return torch.cat(planes, dim=1).cpu()[:, self.chosen]
