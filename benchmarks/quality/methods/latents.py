"""What the same frozen encoder gives to methods that train nothing.

The distance to a coreset of good latents (PatchCore, Roth et al. 2022), and their density as a
mixture of Gaussians in closed form."""

from collections.abc import Callable

import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor
from torch.nn import functional as F

from benchmarks.quality.methods.hdm_method import encoder_flop
from benchmarks.quality.methods.maps import anomaly_maps
from benchmarks.quality.methods.method import Clock, Fitted, Score, Task
from benchmarks.quality.methods.neighbours import NEIGHBOURHOOD, Neighbours
from hdm.backbone.encoder import Encoder, edge_repeated
from hdm.dagm.latent_vectors import collect
from hdm.diffusion.compute import Backend

PARTS = 16
FITTED_ON = 50_000
MIXTURE_ROUNDS = 15
PATCHES = 200
"""Of each view, for the coreset."""


def patchcore(task: Task) -> Fitted:
    """Patches are latents with their neighbourhood's mean, as published."""
    clock, encoder = Clock(), Encoder.published(Backend(task.params.compute).device)
    generator = torch.Generator().manual_seed(task.seed)
    with clock.stage("encode"):
        patches = []
        for number in range(task.count):
            around = pooled(encoder.encode(task.views(number))).movedim(1, -1).flatten(0, 2)
            chosen = torch.randperm(len(around), generator=generator)
            patches.append(around[chosen[:PATCHES * len(task.views(number))]])
    with clock.stage("model"):
        model = Neighbours(torch.cat(patches).T[None, :, None], task.seed, pooled=True)
    return Fitted(_by_map(task, lambda images: model.distances(pooled(encoder.encode(images)))),
                  encoder_flop(task, encoder), 0, clock.seconds, prepared=True)


def mixture(task: Task) -> Fitted:
    """Negative logarithm of the density of whitened latents, HDM's own, as a mixture's."""
    clock, encoder = Clock(), Encoder.published(Backend(task.params.compute).device)
    with clock.stage("encode"):
        space, vectors = collect(task.views, task.count, encoder, task.params.dagm_fit.dimensions,
                                 seed=task.seed)
    with clock.stage("model"):
        order = torch.randperm(len(vectors.latents),
                               generator=torch.Generator().manual_seed(task.seed))
        some = vectors.latents[order[:FITTED_ON]].float().numpy()
        model = GaussianMixture(PARTS, max_iter=MIXTURE_ROUNDS, reg_covar=0.05,
                                init_params="k-means++", random_state=task.seed).fit(some)

    def distances(images: Tensor) -> Tensor:
        latents = space.latents(encoder.encode(images))
        found = -model.score_samples(latents.movedim(1, -1).flatten(0, 2).numpy())
        return torch.from_numpy(found).float().view(len(images), *latents.shape[-2:])

    return Fitted(_by_map(task, distances), encoder_flop(task, encoder), 0, clock.seconds,
                  prepared=True)


def pooled(features: Tensor) -> Tensor:
    """Each place with its neighbourhood's mean."""
    return F.avg_pool2d(features, NEIGHBOURHOOD, 1, NEIGHBOURHOOD // 2, count_include_pad=False)


def _by_map(task: Task, distances: Callable[[Tensor], Tensor]) -> Score:
    def score(images: Tensor) -> tuple[Tensor, Tensor]:
        # As HDM treats the edge, lest these find nothing but the encoder's padding.
        grid = edge_repeated(distances(task.form.for_encoder(images))[:, None])[:, 0]
        size = task.form.for_discriminator(images[:1]).shape[-2:]
        return grid.amax((1, 2)), anomaly_maps(grid, (int(size[0]), int(size[1])))

    return score
