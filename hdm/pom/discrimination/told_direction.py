"""In which direction of latents confirmed defects lie.

Latents are whitened on good images: there Fisher's discriminant of two classes is the difference of
their means, and needs no more pictures than are there. What false alarms have in common with
defects is taken out by half, as good images that look odd are in the way of finding them.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from hdm.dataset.ignore_mask import inspected_only
from hdm.dataset.images import read_image, read_mask
from hdm.dataset.manifest import Manifest
from hdm.detector.ddm import DDM

ODDEST, FEWEST = 0.01, 4
"""Share of a picture's places, and their least number, that are taken for what somebody spoke of
where nobody drew it."""
ALARMS = 0.5
"""Share of the false alarms' mean latent that is taken out."""


@dataclass(frozen=True)
class ToldLatents:
    """Mean latents of what people spoke of, one a picture: defects (n, D), alarms (m, D). A defect
    that lies where nothing is inspected is no row of them. numbers (n,): which pictures have one.
    """

    defects: Tensor
    alarms: Tensor
    numbers: Tensor

    def direction(self, without: Collection[int] = ()) -> Tensor | None:
        """(D,), from all defects but some pictures'; None if none is left."""
        kept = self.defects[~torch.isin(self.numbers, torch.tensor(list(without)))]
        if not len(kept):
            return None
        found = kept.mean(0)
        return found - ALARMS * self.alarms.mean(0) if len(self.alarms) else found


def told_latents(defects: Manifest, alarms: Manifest, module: DDM,
                 find: Callable[[Tensor], Tensor]) -> ToldLatents:
    """Read both, masks of defects where there are any; either may be empty. module: with a prior.

    find: prepared image (C, H, W) -> how odd each place of it is, (h, w); asked where nobody drew
    what is meant. Raises DataError if an image or a mask cannot be read.
    """
    means: list[list[Tensor]] = [[], []]
    numbers = []
    for side, part in enumerate((defects, alarms)):
        for number, row in enumerate(part):
            file = part.mask_file(row)
            image = module.form.prepare(read_image(part.image_file(row)))
            latents = module.latents(module.form.for_encoder(image[None]))
            assert latents is not None
            drawn = read_mask(file) if file else None
            where = oddest(find(image), latents, module) if drawn is None or not drawn.any() else \
                F.adaptive_max_pool2d(torch.from_numpy(
                    inspected_only(module.form.ignored, drawn)).float()[None],
                    latents.shape[-2:])[0] > 0
            if where.any():
                means[side].append(latents[0][:, where].mean(1))
                numbers += [number] if side == 0 else []
    found, odd = (torch.stack(side) if side else torch.empty(0, 0) for side in means)
    return ToldLatents(found, odd, torch.tensor(numbers, dtype=torch.long))


def oddest(found: Tensor, latents: Tensor, module: DDM) -> Tensor:
    """The oddest of the inspected places of latents (1, D, h, w): (h, w) bool; found: how odd each
    is, at any size."""
    own = F.interpolate(found[None, None], size=latents.shape[-2:], mode="area")[0, 0]
    ignored = module.form.ignored_at(*own.shape)
    seen = torch.ones_like(own, dtype=torch.bool) if ignored is None else ~ignored.pixels
    count = min(int(seen.sum()), max(FEWEST, round(ODDEST * int(seen.sum()))))
    return seen & (own >= own[seen].topk(count).values[-1])
