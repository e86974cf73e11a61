"""A detector as one graph: native pixels in, score, decision and anomaly map out.

What comes before and after the network is inside, so nothing is left to be done differently
elsewhere. Anti-aliased bilinear resizing is written as two products with matrices that follow from
the image's size, as torch computes it: the graph takes any size, and no runtime's own idea of
anti-aliasing enters.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from hdm.detector.ddm import NOISE_SEED
from hdm.detector.detector import HDM
from hdm.detector.evidence import Evidence
from hdm.detector.reverse_process import answer
from hdm.errors import HDMError

OUTPUTS = ("score", "p_value", "probability", "defect", "anomaly_map", "appearance")


class Judged(NamedTuple):
    """Of N images: score, p_value and probability (N,) float32; defect (N,) bool; anomaly_map
    (N, H, W) float32 in [0, 1]; appearance (N, 3): brightness, contrast, sharpness."""

    score: Tensor
    p_value: Tensor
    probability: Tensor
    defect: Tensor
    anomaly_map: Tensor
    appearance: Tensor


class DetectorGraph(nn.Module):
    """`HDM.predict` for N images of one size, (N, H, W, C) of uint8 or uint16, C 1 or 3.

    white: full scale, 255 or 65535. Raises HDMError for a detector that judges tiles.
    """

    noise: Tensor
    normals: Tensor

    def __init__(self, detector: HDM, white: int) -> None:
        super().__init__()
        if detector.form.fit != "resize":
            raise HDMError("expected a detector that judges whole images, found one that judges "
                           "tiles, whose number depends on the image and which is not exported; "
                           "serve it with the torch backend, or train it with image.fit: resize.")
        self.form, self.settings, self.white = detector.form, detector.settings, float(white)
        ddm = detector.scorer.ddm
        self.network, self.prior, self.mirrored = ddm.network, ddm.prior, ddm.mirrored
        self.normality = detector.scorer.normality
        calibration, self.limit = detector.calibration, detector.threshold
        self.pixel, self.image = calibration.pixel, calibration.image
        canvas = (1, self.form.channels, self.form.height, self.form.width)
        generator = torch.Generator().manual_seed(NOISE_SEED)
        self.register_buffer("noise", torch.randn(canvas, generator=generator))
        self.register_buffer("normals", torch.tensor(calibration.normal_scores))

    def forward(self, image: Tensor) -> Judged:
        """See the class."""
        canvas = self._canvas(image)
        evidence = self._evidence(canvas)
        score = evidence.scores
        at_least = (self.normals[None] >= score[:, None]).sum(1)
        slope, bias = self.image
        # In double precision as HDM compares: the limit is often a normal's own score.
        return Judged(
            score, (1 + at_least).float() / (len(self.normals) + 1),
            torch.sigmoid(slope * score + bias), score.double() > self.limit,
            torch.sigmoid(self.pixel[0] * self._native(evidence.pixels, image) + self.pixel[1]),
            _appearance(canvas))

    def _canvas(self, image: Tensor) -> Tensor:
        """`InputFormat.to_canvas` of all images."""
        values = image.float().permute(0, 3, 1, 2) / self.white
        # A grey image beside three channels is repeated, colours beside one channel are averaged.
        planes = values.mean(1, keepdim=True) if self.form.channels == 1 else \
            values.index_select(1, torch.arange(3) % image.shape[3])
        scaled = (planes - self.form.low) * (2 / (self.form.high - self.form.low)) - 1
        rows = shrinking(image.shape[1], self.form.height)
        columns = shrinking(image.shape[2], self.form.width)
        return rows @ (scaled.clamp(-3, 3) @ columns.T)

    def _evidence(self, canvas: Tensor) -> Evidence:
        """`Scorer.evidence`."""
        level = self.settings.prior_level

        def appearance(state: Tensor) -> Tensor | None:
            return None if level is None else self.prior.normal_appearance(state, level, self.noise)

        judged = answer(self.network, canvas, appearance, self.settings.reverse_steps,
                        mirrored=self.mirrored)
        return self.normality.evidence(canvas, judged.logits, judged.context)

    def _native(self, evidence: Tensor, image: Tensor) -> Tensor:
        """Pixels' evidence (N, 1, h, w) at the images' size, (N, H, W)."""
        rows = between(self.form.height, image.shape[1])
        columns = between(self.form.width, image.shape[2])
        return (rows @ (evidence @ columns.T))[:, 0]


def shrinking(length: int, target: int) -> Tensor:
    """The matrix (target, length) of anti-aliased bilinear resizing along one axis.

    A triangle around each new pixel's centre, as wide as a new pixel where the image shrinks, its
    weights made to sum to 1; `length` may be symbolic.
    """
    scale = torch.scalar_tensor(length) / target
    centre = (torch.arange(target) + 0.5) * scale
    place = torch.arange(length) + 0.5
    weight = (1 - (place[None] - centre[:, None]).abs() / scale.clamp(min=1)).clamp(min=0)
    return weight / weight.sum(1, keepdim=True)


def between(length: int, target: int) -> Tensor:
    """The matrix (target, length) of plain bilinear resizing; `target` may be symbolic."""
    scale = length / torch.scalar_tensor(target)
    centre = ((torch.arange(target) + 0.5) * scale - 0.5).clamp(0, length - 1)
    return (1 - (torch.arange(length)[None] - centre[:, None]).abs()).clamp(min=0)


def _appearance(canvas: Tensor) -> Tensor:
    """`Appearance.of` each image of (N, C, h, w): (N, 3)."""
    grey = canvas.mean(1)
    deviation = (grey - grey.mean((1, 2), keepdim=True)).pow(2).mean((1, 2)).sqrt()
    steps = torch.cat([(grey[:, 1:] - grey[:, :-1]).flatten(1),
                       (grey[..., 1:] - grey[..., :-1]).flatten(1)], 1).abs().mean(1)
    return torch.stack([grey.mean((1, 2)), deviation, steps], 1)
