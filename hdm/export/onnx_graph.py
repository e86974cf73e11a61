"""A detector as one graph: native pixels in, score, decision and anomaly map out.

What comes before and after the network is inside, so nothing is left to be done differently
elsewhere. Anti-aliased bilinear resizing is written as two products with matrices that follow from
the image's size, as torch computes it: the graph takes any size, and no runtime's own idea of
anti-aliasing enters.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from hdm.backbone.encoder import as_pixels, joined
from hdm.dataset.ignore_mask import IgnoreMask, filled, reflection
from hdm.dataset.input_format import InputFormat
from hdm.dataset.tiles import over_tiles
from hdm.detector.ddm import with_nearness
from hdm.detector.decidability import FIGURES, clipped_share
from hdm.detector.detector import HDM
from hdm.detector.ensemble import blind, logits
from hdm.detector.evidence import Evidence
from hdm.detector.overview import PICTURE, overview
from hdm.detector.scorer import beside
from hdm.errors import HDMError

ROUNDING = 1e-4
"""Above the threshold, relative above 1, at which a score is a defect. The threshold is often the
score of a good picture, which another runtime's rounding must not call a defect."""
STRIDE = 8
"""Pixels that the encoder sees from one place to the next."""
OUTPUTS = ("score", "p_value", "probability", "defect", "anomaly_map", "appearance",
           "undecidable", "figures")


class Judged(NamedTuple):
    """Of N images: score, p_value and probability (N,) float32; defect (N,) bool; anomaly_map
    (N, H, W) float32 in [0, 1]; appearance (N, 3): brightness, contrast, sharpness. undecidable
    (N,) bool: where it is True, defect is not the decision; figures (N, 7): `FIGURES` of
    hdm.detector.decidability, which say why, all 0 where the detector judges every picture."""

    score: Tensor
    p_value: Tensor
    probability: Tensor
    defect: Tensor
    anomaly_map: Tensor
    appearance: Tensor
    undecidable: Tensor
    figures: Tensor


class DetectorGraph(nn.Module):
    """`HDM.predict` for N images of one size, (N, H, W, C) of uint8 or uint16, C 1 or 3.

    white: full scale, 255 or 65535. size: native height and width, for a detector that judges
    tiles: their number follows from it, so the graph takes no other. Raises HDMError if such a
    detector comes without it.
    """

    normals: Tensor
    ignored_cells: Tensor

    def __init__(self, detector: HDM, white: int, size: tuple[int, int] | None = None) -> None:
        super().__init__()
        self.form, self.white = detector.form, float(white)
        if self.form.fit == "tile" and size is None:
            raise HDMError("expected the size of the images of a detector that judges tiles, "
                           "received none; its graph takes images of one size.")
        ddm = detector.scorer.ddm
        self.network, self.mirrored = ddm.network, ddm.mirrored
        self.prior, self.told = ddm.prior, ddm.told
        # Registered, so that its weights are the graph's.
        self.parts = None if ddm.prior is None else nn.ModuleList(
            [ddm.prior.encoder.network, ddm.prior.network])
        self.normality, self.fusion = detector.scorer.normality, detector.scorer.fusion
        self.prepared_size, self.seen_size = sizes(self.form, size)
        calibration, limit = detector.calibration, detector.threshold
        self.limit = limit + ROUNDING * max(1.0, abs(limit))
        self.pixel, self.image = calibration.pixel, calibration.image
        self.register_buffer("normals", torch.tensor(calibration.part_scores.tolist()))
        self.decidability = detector.decidability
        mask = self.form.ignore_mask
        self.masked = mask is not None
        self.register_buffer("ignored_cells", mask.sums if mask else torch.zeros(1, 1))
        # Of sizes that are known now: what follows from them need not be computed again.
        self.ignored = self.form.ignored_at(*self.seen_size)
        self.reflection = reflection(self.form.ignored, *self.prepared_size) if mask else None
        encoded = self.form.encoder_size_of(*self.prepared_size)
        self.ignored_places = self.form.ignored_at(encoded[0] // STRIDE, encoded[1] // STRIDE)

    def forward(self, image: Tensor) -> Judged:
        """See the class."""
        prepared = self._prepared(image)
        seen = resized(prepared, self.prepared_size, self.seen_size)
        encoded = resized(prepared, self.prepared_size,
                          self.form.encoder_size_of(*self.prepared_size))
        latents = self._latents(encoded)
        evidence = self._evidence(seen, latents)
        score = evidence.scores
        at_least = (self.normals[None] >= score[:, None]).sum(1)
        slope, bias = self.image
        anomaly = torch.sigmoid(
            self.pixel[0] * self._native(evidence.pixels, image) + self.pixel[1])
        if self.masked:
            anomaly = torch.where(self._ignored(image), 0.0, anomaly)
        defect = score.double() > self.limit
        figures = self._figures(image, encoded, latents)
        return Judged(
            score, (1 + at_least).float() / (len(self.normals) + 1),
            torch.sigmoid(slope * score + bias), defect, anomaly,
            _appearance(seen), self._undecidable(figures, defect), figures)

    def _ignored(self, image: Tensor) -> Tensor:
        """Pixels (H, W) of the native images that are not inspected."""
        return IgnoreMask(self.ignored_cells).touched(image.shape[1], image.shape[2])

    def _prepared(self, image: Tensor) -> Tensor:
        """`InputFormat.prepare` of all images."""
        values = image.float().permute(0, 3, 1, 2) / self.white
        # A grey image beside three channels is repeated, colours beside one channel are averaged.
        planes = values.mean(1, keepdim=True) if self.form.channels == 1 else \
            torch.cat([values, values, values], 1)[:, :3]
        scaled = (planes - self.form.low) * (2 / (self.form.high - self.form.low)) - 1
        limited = scaled.clamp(-3, 3)
        if self.masked:
            limited = filled(limited, self._ignored(image))
        height, width = self.prepared_size
        rows, columns = shrinking(image.shape[1], height), shrinking(image.shape[2], width)
        prepared = rows @ (limited @ columns.T)
        if self.reflection is None:
            return prepared
        return prepared.flatten(2)[:, :, self.reflection].unflatten(2, self.prepared_size)

    def _latents(self, encoded: Tensor) -> Tensor | None:
        """`DDM.latents`."""
        if self.prior is None:
            return None
        return self.prior.space.latents(joined(*self._stages(encoded)[1:]))

    def _stages(self, images: Tensor) -> tuple[Tensor, ...]:
        """`Encoder.stages`."""
        assert self.prior is not None
        stages: tuple[Tensor, ...] = self.prior.encoder.network(as_pixels(images))
        return stages

    def _figures(self, image: Tensor, encoded: Tensor, latents: Tensor | None) -> Tensor:
        """`Decidability.figures` of all images."""
        if self.decidability is None:
            return torch.zeros(image.shape[0], len(FIGURES))
        whole = overview(self.form, encoded, latents)
        height, width = (torch.scalar_tensor(side) for side in image.shape[1:3])
        sizes = torch.stack([torch.minimum(height, width).log(), (width / height).log()])
        distance = self.decidability.likeness.distance(whole[:, PICTURE:])
        ends = clipped_share(image, self._ignored(image) if self.masked else None)
        return torch.cat([sizes.expand(image.shape[0], 2), whole[:, :PICTURE], ends[:, None],
                          distance[:, None]], 1)

    def _undecidable(self, figures: Tensor, defect: Tensor) -> Tensor:
        """Whether `Limits.doubts` finds one."""
        if self.decidability is None:
            return torch.zeros_like(defect)
        near, far = ((figures < torch.tensor(low)) | (figures > torch.tensor(high))
                     for low, high in (self.decidability.limits.bounds(called=called)
                                       for called in (False, True)))
        # What is far is near, too.
        return far.any(1) | (near.any(1) & ~defect)

    def _evidence(self, seen: Tensor, latents: Tensor | None) -> Evidence:
        """`Scorer.inspect`."""
        canvas = (self.form.height, self.form.width)

        def judge(tiles: Tensor) -> Tensor:
            return logits(self.network, tiles, self._stages if self.network.seeing else blind,
                          mirrored=self.mirrored)

        taught = judge(seen) if self.form.fit == "resize" else over_tiles(seen, canvas, judge)
        maps = self.normality.joined(seen, taught)
        if self.prior is not None and latents is not None:
            found = with_nearness(self.prior.evidence(latents), latents, self.told)
            if self.ignored_places is not None:
                found = self.ignored_places.repeated(found)
            maps = beside(found, maps)
        return self.fusion.evidence(maps, canvas, self.ignored)

    def _native(self, evidence: Tensor, image: Tensor) -> Tensor:
        """Pixels' evidence (N, 1, h, w) at the images' size, (N, H, W)."""
        rows = between(self.seen_size[0], image.shape[1])
        columns = between(self.seen_size[1], image.shape[2])
        return (rows @ (evidence @ columns.T))[:, 0]


def sizes(form: InputFormat, native: tuple[int, int] | None
          ) -> tuple[tuple[int, int], tuple[int, int]]:
    """Of a prepared image, and of what the discriminator sees of it, as `form` makes them."""
    if native is None:
        return form.prepared_size, (form.height, form.width)
    prepared = form.prepared_size_of(*native)
    return prepared, form.seen_size_of(*prepared)


def resized(images: Tensor, size: tuple[int, int], target: tuple[int, int]) -> Tensor:
    """`hdm.dataset.input_format.resize` of images of `size`, as products with matrices."""
    if size == target:
        return images
    return shrinking(size[0], target[0]) @ (images @ shrinking(size[1], target[1]).T)


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
