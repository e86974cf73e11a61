"""POM in the discrimination phase: how unlike a good part's features are a part's features here?

The discriminator's last layer says where its synthetic defects were. The features below it know
more: a real defect that resembles none of them still looks unlike a good part, and what a good
part always shows at that place is no defect, whatever it resembles. As in CutPaste (Li et al.
2021), a Gaussian of the features on good images says so; as in PaDiM (Defard et al. 2021) it
depends on the place, here by mean and deviation, while all places share the correlations. Both
judgements, each by its own deviation on good images, add up to the evidence.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import torch
from safetensors.torch import load_file, save
from torch import Tensor
from torch.nn import functional as F

from hdm.errors import HDMError
from hdm.files import atomic_file

NEIGHBOURHOOD = 0.25
"""Side of the window over which places share mean and deviation / shorter side."""
FLOOR = 0.01
"""Added to variances, as a share of the mean one: a feature that never fired is not infinitely
surprising when it does."""


@dataclass(frozen=True)
class Normality:
    """Features and logits of good images.

    mean, deviation: (D, h, w) of the features. precision: (D, D), inverse correlations. surprise,
    logit: (2,), mean and deviation of the pixels' surprise and logits.
    """

    mean: Tensor
    deviation: Tensor
    precision: Tensor
    surprise: Tensor
    logit: Tensor

    @classmethod
    def fit(cls, features: Tensor, logits: Tensor) -> Self:
        """features (N, D, h, w), logits (N, 1, H, W) of N good images."""
        mean = _around(features.mean(0))
        variance = _around((features - mean).pow(2).mean(0))
        deviation = (variance + FLOOR * variance.mean()).clamp(min=1e-12).sqrt()
        points = ((features - mean) / deviation).movedim(1, 3).flatten(0, 2)
        correlations = points.T @ points / len(points)
        precision = torch.linalg.inv(correlations + FLOOR * torch.eye(len(correlations)))
        surprise = _surprise(features, mean, deviation, precision)
        return cls(mean, deviation, precision, _moments(surprise), _moments(logits))

    def evidence(self, features: Tensor, logits: Tensor) -> Tensor:
        """Evidence of a defect at each pixel, about 0 on good images, unbounded: (N, 1, H, W).

        The discriminator's logit and the features' surprise, the logarithm of their squared
        Mahalanobis distance, each in deviations of good images.
        """
        surprise = _surprise(features, self.mean, self.deviation, self.precision)
        surprise = F.interpolate(surprise, size=logits.shape[-2:], mode="bilinear",
                                 align_corners=False)
        return _standard(logits, self.logit) + _standard(surprise, self.surprise)

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


def _surprise(features: Tensor, mean: Tensor, deviation: Tensor, precision: Tensor) -> Tensor:
    """(N, D, h, w) -> (N, 1, h, w)."""
    points = ((features - mean) / deviation).movedim(1, 3)
    return ((points @ precision) * points).sum(3).clamp(min=1e-6).log()[:, None]


def _around(planes: Tensor) -> Tensor:
    """(D, h, w), each place with the mean of its neighbourhood."""
    reach = max(1, round(NEIGHBOURHOOD * min(planes.shape[-2:]) / 2))
    return F.avg_pool2d(planes[None], 2 * reach + 1, 1, reach, count_include_pad=False)[0]


def _moments(values: Tensor) -> Tensor:
    return torch.stack([values.mean(), values.std().clamp(min=1e-6)])


def _standard(values: Tensor, moments: Tensor) -> Tensor:
    return (values - moments[0]) / moments[1]
