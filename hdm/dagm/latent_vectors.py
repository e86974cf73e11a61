"""Latents of a line's good images to learn from, in memory that does not grow with the line."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from hdm.backbone.encoder import Encoder
from hdm.dataset.input_format import InputFormat
from hdm.diffusion.latent_space import LatentSpace, positions
from hdm.model_settings import Benign
from hdm.training.augmentation import pose

CONTRAST = 0.1
"""Largest change of a copy's contrast, natural logarithm."""
MOST = 1_200_000
"""Vectors that are kept; of more places each image gives a share, drawn at random."""


@dataclass(frozen=True)
class LatentVectors:
    """latents (V, D) float16 and their places (V, 2) in [0, 1]; views (V,), which view each is of,
    and the mean latents of the views, (views, D)."""

    latents: Tensor
    places: Tensor
    views: Tensor
    means: Tensor


class Encoded(NamedTuple):
    """Of one image: features of those of its places that are kept (P, K) float16, these places
    (P, 2) and their views (P,); the mean features of each view, (V, K), ignored places too; and of
    all its features, before they were rounded, how many they are, the sum (K,) and that of their
    products (K, K)."""

    features: Tensor
    places: Tensor
    views: Tensor
    means: Tensor
    seen: int
    total: Tensor
    products: Tensor


def collect(load: Callable[[int], Tensor], count: int, encoder: Encoder, dimensions: int, *,
            seed: int, most: int = MOST, progress: Callable[[int, int], None] | None = None,
            ignored: Callable[[int], Tensor | None] = lambda number: None
            ) -> tuple[LatentSpace, LatentVectors]:
    """`gathered` of what `encoded` makes of `count` images."""
    images = encoded(load, encoder, range(count), ignored, share=share(count, most), seed=seed)
    return gathered(images, count, dimensions, seed=seed, progress=progress)


def share(count: int, most: int = MOST) -> int:
    """Vectors that each of `count` images gives, where it has more."""
    return max(1, most // max(1, count))


def encoded(load: Callable[[int], Tensor], encoder: Encoder, numbers: Iterable[int],
            ignored: Callable[[int], Tensor | None] = lambda number: None, *, share: int,
            seed: int) -> Iterator[Encoded]:
    """Images by their numbers, one after the other.

    load: number of an image -> its views (V, C, H, W) as the encoder takes them; they are made,
    encoded and forgotten. ignored: the same number -> (V, H, W) bool, what of its views is not
    inspected: a place that lies there whole is not learned from. share: vectors that are kept of
    it at most, drawn at random as follows from (seed, number) alone.
    """
    for number in numbers:
        features = encoder.encode(load(number))
        views, _, height, width = features.shape
        vectors, places = features.movedim(1, -1).flatten(0, 2), positions(height, width)
        places = places.repeat(views, 1)
        view = torch.arange(views).repeat_interleave(height * width)
        # By numpy: torch's threads would share out the sums, which rounds them otherwise.
        means = torch.from_numpy(features.numpy().mean((2, 3)))
        if (hidden := ignored(number)) is not None:
            seen = F.adaptive_max_pool2d((~hidden).float(), (height, width)).flatten() > 0
            vectors, places, view = vectors[seen], places[seen], view[seen]
        plain = vectors.numpy()
        sums = vectors.sum(0), torch.from_numpy(plain.T @ plain)
        kept = slice(None) if len(vectors) <= share else \
            torch.randperm(len(vectors), generator=_chance(seed + 1, number))[:share]
        yield Encoded(vectors[kept].half(), places[kept], view[kept], means, len(vectors), *sums)


def gathered(images: Iterable[Encoded], count: int, dimensions: int, *, seed: int,
             progress: Callable[[int, int], None] | None = None
             ) -> tuple[LatentSpace, LatentVectors]:
    """The space that whitens what was encoded of `count` images, and what was kept as latents, an
    image's in an order that follows from the seed."""
    generator = torch.Generator().manual_seed(seed)
    total, views_before, mean = 0, 0, torch.zeros(1, dtype=torch.float64)
    second = torch.zeros(1, 1, dtype=torch.float64)
    kept: list[Tensor] = []
    where: list[Tensor] = []
    views: list[Tensor] = []
    means: list[Tensor] = []
    for done, image in enumerate(images, start=1):
        mean = mean + image.total.double()
        second = second + image.products.double()
        total += image.seen
        order = torch.randperm(len(image.features), generator=generator)
        kept.append(image.features[order])
        where.append(image.places[order])
        views.append(image.views[order] + views_before)
        means.append(image.means)
        views_before += len(image.means)
        if progress:
            progress(done, count)
    mean = mean / total
    space = LatentSpace.fit(mean, second / total - mean.outer(mean), dimensions)
    for number, raw in enumerate(kept):
        # One after the other, so that raw features and latents are not both held whole.
        kept[number] = ((raw.float() - space.mean) @ space.whitening).half()
    return space, LatentVectors(torch.cat(kept), torch.cat(where), torch.cat(views),
                                (torch.cat(means) - space.mean) @ space.whitening)


def training_views(load: Callable[[int], Tensor], form: InputFormat, count: int, benign: Benign, *,
                   seed: int) -> Callable[[int], Tensor]:
    """Number of a good image -> `posed_views` of it as the encoder sees them; load: number of one
    -> it as it is prepared. An image's views follow from (seed, number) alone."""
    def views(number: int) -> Tensor:
        return form.for_encoder(posed_views(load(number), count, benign, _chance(seed, number)))

    return views


def ignored_views(size_of: Callable[[int], tuple[int, int]], form: InputFormat, count: int,
                  benign: Benign, *, seed: int) -> Callable[[int], Tensor | None]:
    """Number of a good image -> (count, H, W) bool, what is not inspected of its `training_views`;
    size_of: number of one -> height and width of it as it is prepared."""
    def hidden(number: int) -> Tensor | None:
        size = size_of(number)
        own = form.ignored_at(*size)
        if own is None:
            return None
        plane = own.pixels.float()[None]
        if count == 1:
            return plane > 0
        copies = plane.expand(count - 1, -1, -1)[:, None]
        _, posed = pose(torch.zeros_like(copies), copies, benign, _chance(seed, number))
        return torch.cat([plane, posed[:, 0]]) > 0

    return hidden


def _chance(seed: int, number: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed * 1_000_003 + number)


def posed_views(image: Tensor, count: int, benign: Benign, generator: torch.Generator) -> Tensor:
    """A good image (C, H, W) as it is and in `count` - 1 other poses and contrasts that are as
    good, (count, C, H, W)."""
    if count == 1:
        return image[None]
    copies = image.expand(count - 1, -1, -1, -1)
    none = torch.zeros(count - 1, 1, *image.shape[1:])
    posed, _ = pose(copies, none, benign, generator)
    gain = torch.exp(CONTRAST * (2 * torch.rand(count - 1, 1, 1, 1, generator=generator) - 1))
    middle = posed.mean((1, 2, 3), keepdim=True)
    return torch.cat([image[None], middle + gain * (posed - middle)])
