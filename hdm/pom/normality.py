"""POM in the discrimination phase: how unlike a good part is this part, as a whole?

The discriminator's logits say where its synthetic defects were. The features inside it know more: a
real defect that resembles none of them still looks unlike any good part. As in PatchCore (Roth et
al. 2022) some thousand features of good images are remembered, and an image is as odd as the one
of its places whose nearest remembered feature is farthest; the features are the discriminator's
own, so nothing is downloaded. They are coarse, and what is odd of itself says little about where:
the anomaly map is the logits', oddness counts for the image.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from hdm.errors import HDMError
from hdm.files import atomic_file

REMEMBERED = 4096
AT_ONCE = 512
"""Remembered features that are compared at a time, so that memory stays small."""
FLOOR = 0.01
"""Added to variances, as a share of the mean one: a feature that never fired is not infinitely
odd when it does."""


@dataclass(frozen=True)
class Normality:
    """Features of good images.

    mean (D,) and whitening (D, D) make features uncorrelated; memory (M, D) is made so. score and
    distance (2,): mean and deviation over good images of the logits' score and of the distance to
    the memory.
    """

    mean: Tensor
    whitening: Tensor
    memory: Tensor
    score: Tensor
    distance: Tensor

    @classmethod
    def fit(cls, context: Tensor, scores: Tensor) -> Self:
        """context (N, D, h, w) and the logits' image scores (N,) of N good images.

        An image's own features do not count as remembered when its distance is taken.
        """
        points = _points(context)
        mean = points.mean(0)
        variance = (points - mean).pow(2).mean(0)
        deviation = (variance + FLOOR * variance.mean()).clamp(min=1e-12).sqrt()
        standard = ((points - mean) / deviation).double()
        correlations = standard.T @ standard / len(points)
        precision = torch.linalg.inv(correlations + FLOOR * torch.eye(len(mean)))
        whitening = torch.linalg.cholesky(precision).float() / deviation[:, None]
        generator = torch.Generator().manual_seed(0)
        chosen = torch.randperm(len(points), generator=generator)[:REMEMBERED]
        white = (points - mean) @ whitening
        memory, owner = white[chosen], chosen // (len(points) // len(context))
        others = [memory[owner != image] for image in range(len(context))]
        distances = torch.stack([_farthest(own, rest) for own, rest
                                 in zip(white.view(len(context), 1, -1, len(mean)), others,
                                        strict=True) if len(rest)] or [torch.zeros(1)])
        return cls(mean, whitening, memory, _moments(scores), _moments(distances))

    def oddness(self, context: Tensor) -> Tensor:
        """(N, D, h, w) -> (N,), in deviations of good images' distances from their mean."""
        n, width = context.shape[:2]
        white = (_points(context) - self.mean) @ self.whitening
        return _standard(_farthest(white.view(n, -1, width), self.memory), self.distance)

    def evidence(self, logits: Tensor) -> Tensor:
        """The discriminator's logits in deviations of good images' scores from their mean."""
        return _standard(logits, self.score)

    def save(self, file: Path) -> None:
        """Write a safetensors file."""
        content = {f.name: getattr(self, f.name).contiguous() for f in fields(self)}
        with atomic_file(file) as temporary:
            temporary.write_bytes(save(content))

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read what `save` wrote; raises HDMError if it is missing or damaged."""
        try:
            return cls(**load_file(file))
        except Exception as error:
            raise HDMError(f"{file} cannot be read ({str(error).splitlines()[0]}); restore it "
                           "with `dvc checkout` or run ddm_train again.") from error


def _points(context: Tensor) -> Tensor:
    """(N, D, h, w) -> (N h w, D), place by place, image after image."""
    return context.movedim(1, 3).flatten(0, 2)


def _farthest(points: Tensor, memory: Tensor) -> Tensor:
    """Distance to its nearest of (M, D) of the point that has the farthest, (N, P, D) -> (N,)."""
    nearest = torch.stack([
        ((part * part).sum(1) - 2 * points @ part.T).min(2).values
        for part in memory.split(AT_ONCE)]).min(0).values
    squared = nearest + (points * points).sum(2)
    return squared.max(1).values.clamp(min=0).sqrt()


def _moments(values: Tensor) -> Tensor:
    return torch.stack([values.mean(), values.std(correction=0).clamp(min=1e-6)])


def _standard(values: Tensor, moments: Tensor) -> Tensor:
    return (values - moments[0]) / moments[1]
