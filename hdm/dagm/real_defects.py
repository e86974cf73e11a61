"""Real defects that people confirmed, as the discriminators see them.

Where somebody drew the defect its pixels are known. Where nobody did, the image as a whole is known
to be defective: the oddest places of the map that the line had before are taken for the defect, and
of the others nothing is said.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from hdm.dagm.mask_codes import CHANGED, IGNORED, NOT_INSPECTED, UNCHANGED
from hdm.dataset.ignore_mask import Ignored, inspected_only
from hdm.dataset.images import read_image, read_mask
from hdm.dataset.input_format import InputFormat, resize
from hdm.dataset.manifest import Manifest
from hdm.dataset.tensors import LOG_ZOOM
from hdm.dataset.tiles import pad_to

CROPS = 24
"""Crops of an image that is judged by tiles."""
ODDEST = 0.01
"""Share of an image's pixels that is taken for the defect where nobody drew it."""
COVERED = 0.25
"""Share of a canvas's pixel that the defect covers for it to count."""
EDGE = 5
"""Side in px of the window around a drawn defect in which nothing is said: no hand draws a
border."""
APART = 1 / 3
"""Largest distance of a crop's middle from a pixel of its defect, of the canvas's sides."""


@dataclass(frozen=True)
class RealDefects:
    """images: (M, C, H, W) canvases or crops. labels: (M, H, W) uint8 of hdm.dagm.mask_codes.
    picture: (M,) number of the picture that each is of. drawn: (M,) whether its pixels are
    known."""

    images: Tensor
    labels: Tensor
    picture: Tensor
    drawn: Tensor

    @classmethod
    def none(cls, form: InputFormat) -> Self:
        """No defect."""
        size = (form.height, form.width)
        return cls(torch.empty(0, form.channels, *size), torch.empty(0, *size, dtype=torch.uint8),
                   torch.empty(0, dtype=torch.long), torch.empty(0, dtype=torch.bool))

    def of(self, pictures: Sequence[int]) -> "RealDefects":
        """Those of some pictures."""
        rows = torch.isin(self.picture, torch.tensor(list(pictures), dtype=torch.long))
        return RealDefects(self.images[rows], self.labels[rows], self.picture[rows],
                           self.drawn[rows])


def load_defects(defects: Manifest, form: InputFormat, find: Callable[[Tensor], Tensor], *,
                 seed: int) -> RealDefects:
    """Read confirmed defects, masks where there are any; may be none. What of a defect lies in
    ignored places is not learned from, nor is a view of it that shows no more than that.

    find: prepared image (C, H, W) -> how odd each place of it is, (h, w); asked where nobody drew
    the defect. Raises DataError if an image or a mask cannot be read.
    """
    rng = np.random.default_rng([seed, len(defects)])
    images, labels, picture, drawn = [], [], [], []
    for number, row in enumerate(defects):
        image = read_image(defects.image_file(row))
        file = defects.mask_file(row)
        known = read_mask(file) if file else None
        if known is not None and not known.any():
            known = None
        where = oddest(_outside(find(form.prepare(image)), form), (row.height, row.width)) \
            if known is None else torch.from_numpy(inspected_only(form.ignored, known)).float()
        views = 1 if form.fit == "resize" else CROPS
        for _ in range(views):
            zoom = 1.0 if form.scale == 1 else float(np.exp(rng.uniform(*LOG_ZOOM)))
            seen = form.for_discriminator(form.prepare(image, zoom)[None])
            label = labelled(where, (seen.shape[-2], seen.shape[-1]), drawn=known is not None,
                             ignored=form.ignored_at(*seen.shape[-2:]))
            if not (label == CHANGED).any():
                continue
            if form.fit != "resize":
                seen, label = _crop(seen, label, form, rng)
            images.append(seen[0])
            labels.append(label)
            picture.append(number)
            drawn.append(known is not None)
    if not images:
        return RealDefects.none(form)
    return RealDefects(torch.stack(images), torch.stack(labels), torch.tensor(picture),
                       torch.tensor(drawn))


def oddest(found: Tensor, size: tuple[int, int]) -> Tensor:
    """The `ODDEST` share of a map (h, w), at the image's own size (H, W): 1 there, 0 elsewhere;
    places of -inf are none."""
    flat = found[found > -torch.inf]
    limit = flat.topk(max(1, round(ODDEST * len(flat)))).values[-1]
    return F.interpolate((found >= limit).float()[None, None], size=size, mode="nearest")[0, 0]


def labelled(where: Tensor, size: tuple[int, int], *, drawn: bool, ignored: Ignored | None = None
             ) -> Tensor:
    """What to learn at each pixel of a canvas of `size`, from a native mask (H, W): uint8."""
    share = resize(where[None, None], size)
    # A crack that is thinner than a pixel is still one where it covers most.
    changed = (share > 0) & (share >= min(COVERED, float(share.max()) / 2))
    near = F.max_pool2d((share > 0).float(), EDGE, 1, EDGE // 2) > 0 if drawn else \
        torch.ones_like(changed)
    label = torch.where(near, IGNORED, UNCHANGED)
    label = torch.where(changed, CHANGED, label)[0, 0].to(torch.uint8)
    return label if ignored is None else label.masked_fill(ignored.pixels, NOT_INSPECTED)


def _outside(found: Tensor, form: InputFormat) -> Tensor:
    """A map (h, w) with -inf where nothing is inspected."""
    ignored = form.ignored_at(*found.shape)
    return found if ignored is None else found.masked_fill(ignored.pixels, -torch.inf)


def _crop(seen: Tensor, label: Tensor, form: InputFormat, rng: np.random.Generator
          ) -> tuple[Tensor, Tensor]:
    """A canvas of a larger image (1, C, H, W) that shows some of its defect."""
    rows, columns = torch.nonzero(label == CHANGED, as_tuple=True)
    one = int(rng.integers(len(rows)))
    seen = pad_to(seen, form.height, form.width)
    padded = torch.full(seen.shape[-2:], IGNORED, dtype=torch.uint8)
    padded[:label.shape[0], :label.shape[1]] = label
    start = []
    for middle, side, length in ((int(rows[one]), form.height, seen.shape[-2]),
                                 (int(columns[one]), form.width, seen.shape[-1])):
        first = middle + rng.uniform(-APART, APART) * side - side / 2
        start.append(int(np.clip(round(first), 0, length - side)))
    top, left = start
    return (seen[..., top:top + form.height, left:left + form.width].contiguous(),
            padded[top:top + form.height, left:left + form.width].contiguous())
