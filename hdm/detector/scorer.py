"""From prepared images to evidence of a defect: what DDM says, joined by POM."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

import torch
from safetensors.torch import load_file, save
from torch import Tensor
from torch.nn import functional as F

from hdm.dataset.ignore_mask import Ignored
from hdm.detector.ddm import DDM
from hdm.detector.evidence import Evidence
from hdm.detector.fusion import Fusion
from hdm.detector.normality import Normality
from hdm.detector.overview import overview
from hdm.errors import HDMError
from hdm.files import atomic_file, below

EVIDENCE = "evidence.safetensors"
BATCH = 16


class Inspected(NamedTuple):
    """Of one image: evidence of a defect, and its `overview` (1, P) as a whole."""

    evidence: Evidence
    overview: Tensor


class Scorer:
    """DDM with what POM knows of good images."""

    def __init__(self, ddm: DDM, normality: Normality, fusion: Fusion) -> None:
        self.ddm, self.normality, self.fusion = ddm, normality, fusion

    @property
    def canvas(self) -> tuple[int, int]:
        """Height and width that the discriminator sees at once."""
        return self.ddm.form.height, self.ddm.form.width

    def inspect(self, images: Sequence[Tensor]) -> list[Inspected]:
        """Each of the images (C, H, W) as `InputFormat.prepare` gives them."""
        return [Inspected(self.evidence(maps), whole)
                for maps, whole in all_maps(self.ddm, self.normality, images)]

    def evidence(self, maps: Tensor) -> Evidence:
        """Evidence of whole images of one size from their maps (N, K, h, w)."""
        ignored: Ignored | None = self.ddm.form.ignored_at(*maps.shape[-2:])
        return self.fusion.evidence(maps, self.canvas, ignored)

    def save(self, folder: Path) -> None:
        """Write networks, and what is known of good images, into an existing folder."""
        self.ddm.save(folder)
        tensors = {f"normality.{k}": v for k, v in self.normality.tensors().items()}
        tensors |= {f"fusion.{k}": v for k, v in self.fusion.tensors().items()}
        with atomic_file(folder / EVIDENCE) as temporary:
            temporary.write_bytes(save({k: v.contiguous() for k, v in tensors.items()}))

    @classmethod
    def load(cls, folder: Path, ddm: DDM) -> Self:
        """Read what `save` wrote; raises HDMError if it is missing, damaged, or of a module with
        another number of networks."""
        kinds = 1 + ddm.latent_kinds
        try:
            content = load_file(folder / EVIDENCE)
            normality = Normality.of(below(content, "normality."))
            fusion = Fusion.of(below(content, "fusion."))
            if len(fusion.unit) != kinds:
                raise ValueError(f"it joins {len(fusion.unit)} kinds of evidence, not {kinds}")
            return cls(ddm, normality, fusion)
        except Exception as error:
            raise HDMError(f"{folder / EVIDENCE} cannot be read ({str(error).splitlines()[0]}); "
                           "restore it with `dvc checkout` or run ddm_train again.") from error


def all_maps(ddm: DDM, normality: Normality, images: Sequence[Tensor]
             ) -> list[tuple[Tensor, Tensor]]:
    """`maps_and_overview` of images of any sizes, one after the other; those of one size together
    where whole images are judged."""
    if ddm.form.fit != "resize":
        return [maps_and_overview(ddm, normality, image[None]) for image in images]
    parts = [maps_and_overview(ddm, normality, torch.stack(list(images[start:start + BATCH])))
             for start in range(0, len(images), BATCH)]
    return [one for maps, whole in parts
            for one in zip(maps.split(1), whole.split(1), strict=True)]


def maps_and_overview(ddm: DDM, normality: Normality, images: Tensor) -> tuple[Tensor, Tensor]:
    """Of prepared images of one size, each kind's map at the discriminator's size, (N, K, h, w):
    what latents say, if there is a backbone (residual and inversion of the reverse diffusion, and
    nearness to confirmed defects), and what the discriminators say beside what texture is rare. And
    their overviews (N, P)."""
    seen = ddm.form.for_discriminator(images)
    taught = normality.joined(seen, ddm.taught(seen))
    encoded = ddm.form.for_encoder(images)
    latents = ddm.latents(encoded)
    of_latents = ddm.of_latents(latents)
    whole = overview(ddm.form, encoded, latents)
    return taught if of_latents is None else beside(of_latents, taught), whole


def evidence_maps(ddm: DDM, normality: Normality, images: Tensor) -> Tensor:
    """The maps of `maps_and_overview` alone."""
    return maps_and_overview(ddm, normality, images)[0]


def beside(of_latents: Tensor, taught: Tensor) -> Tensor:
    """Both at the finer one's size, (N, K, h, w)."""
    return torch.cat([F.interpolate(of_latents, size=taught.shape[-2:], mode="bilinear",
                                    align_corners=False), taught], 1)
