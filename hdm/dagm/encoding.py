"""A line's good images through the encoder, here or on the workers of a cluster."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from hdm.backbone.encoder import Encoder
from hdm.cluster.spreading import HERE, spread
from hdm.dagm.latent_vectors import Encoded, encoded, ignored_views, share, training_views
from hdm.dataset.input_format import InputFormat
from hdm.dataset.manifest import Manifest
from hdm.dataset.tensors import load_prepared, prepared_sizes
from hdm.diffusion.compute import Backend
from hdm.model_settings import Benign, Compute

PART = 8
"""Images that a worker is handed at once."""


@dataclass(frozen=True)
class Views:
    """What is encoded: `count` views of each of `images`, as `training_views` makes them."""

    images: Manifest
    form: InputFormat
    count: int
    benign: Benign
    seed: int

    def encoded(self, encoder: Encoder, numbers: Iterable[int]) -> Iterator[Encoded]:
        """Images by their numbers, one after the other."""
        load = training_views(load_prepared(self.images, self.form), self.form, self.count,
                              self.benign, seed=self.seed)
        hidden = ignored_views(prepared_sizes(self.images, self.form), self.form, self.count,
                               self.benign, seed=self.seed)
        return encoded(load, encoder, numbers, hidden, share=share(len(self.images)),
                       seed=self.seed)


def spread_encoded(views: Views, encoder: Encoder, compute: Compute, cluster: str
                   ) -> Iterator[Encoded]:
    """All images, in order. encoder: the published one, for here. cluster: as `spread` takes it; a
    worker computes as `compute` says, with one thread."""
    numbers = range(len(views.images))
    if cluster == HERE:
        return views.encoded(encoder, numbers)
    sent = spread(_on_worker, (views, compute), numbers, cluster, part=PART,
                  file_of=lambda number: views.images.image_file(views.images.row(number)))
    return map(_arrived, sent)


def _on_worker(given: tuple[Views, Compute], numbers: Iterable[int]) -> Iterator[tuple[Any, ...]]:
    """`Encoded` with arrays, which travel without being copied, for its tensors, which do not."""
    views, compute = given
    for image in views.encoded(_encoder(compute), numbers):
        yield tuple(value.numpy() if isinstance(value, torch.Tensor) else value for value in image)


def _arrived(image: tuple[Any, ...]) -> Encoded:
    features, places, views, means, seen, total, products = image
    return Encoded(torch.from_numpy(features), torch.from_numpy(places), torch.from_numpy(views),
                   torch.from_numpy(means), seen, torch.from_numpy(total),
                   torch.from_numpy(products))


@lru_cache(1)
def _encoder(compute: Compute) -> Encoder:
    return Encoder.published(Backend(compute.model_copy(update={"threads": 1})).device)
