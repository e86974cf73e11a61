"""From a line's images on disk to tensors: measuring the input format, loading splits."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hdm.dataset.ignore_mask import ignored_pixels
from hdm.dataset.images import read_image, to_float
from hdm.dataset.input_format import InputFormat
from hdm.dataset.layout import position_share
from hdm.dataset.manifest import Manifest
from hdm.dataset.reservoir import reservoir
from hdm.dataset.tiles import pad_to, starts
from hdm.model_settings import Image

CANVAS_MULTIPLE = 16
TILES_AT_LEAST, ZOOMED_AT_LEAST = 1024, 2048
ALIKE = 0.1
"""Share of variance that a place must explain for the whole image to be judged at once."""
LARGER = 1.5
"""Times the canvas: what is smaller loses little when it is resized."""
LAYOUT_IMAGES, LAYOUT_SIDE = 100, 64
MOST_TILES = 16
"""An image that takes more would wait too long for its answer."""
MOST_IMAGES = 4096
"""Of more, so many are learned from: a training draws few of them twice as it is."""
LOG_ZOOM = (-0.35, 0.4)
"""Where parts differ in shape, crops are learned from at 0.7 to 1.5 times the line's scale: the
parts differ in size, too, and a network that sees one scale alone soon knows few parts by heart
(docs/experiments.md, "Parts of differing shape")."""
FINER = 1.15
"""Such parts are judged at this many times the scale that gives them the canvas's area."""
ENCODED = (256, 320)
"""Sides in px between which the encoder sees an image, as a square of its area: its own within
them. Finer shows no more, and costs with the square."""
SHAPES = 1.25
"""Times that the wider images of a line (90 % quantile of width / height) may exceed the narrower
ones (10 %) before one canvas would distort them: cracks a pixel wide on one part, three on
another."""


class Canvases(NamedTuple):
    """images (N, C, H, W) as the discriminator sees them at once; ignored (N, H, W) bool, what of
    them is not inspected; None where all is. counts: how many are of each part, in order."""

    images: Tensor
    ignored: Tensor | None
    counts: tuple[int, ...]


def measure_format(normals: Manifest, settings: Image, ignored: str = "") -> InputFormat:
    """A line's input format: canvas area size², aspect and channels of the line, and the range
    between the 0.5 % tails of its inspected values. ignored: the line's ignore mask as text."""
    frame = normals.frame
    fit, scale = _fit(normals, settings, ignored) if settings.fit == "auto" else (settings.fit, 1.0)
    aspect = float((frame["width"] / frame["height"]).median()) if fit == "resize" else 1.0
    own = float((frame["width"] * frame["height"]).median()) ** 0.5
    encoded = CANVAS_MULTIPLE * round(min(ENCODED[1], max(ENCODED[0], own)) / CANVAS_MULTIPLE)
    detail = encoded / (settings.size if fit == "resize" else own * scale)
    height = _round(settings.size / aspect**0.5)
    channels = 3 if settings.channels == "auto" and (frame["channels"] == 3).any() else \
        1 if settings.channels == "auto" else settings.channels
    step = max(1, len(frame) // 64)
    values = np.concatenate([
        _values(read_image(normals.image_file(normals.row(number))), ignored)[::97]
        for number in range(0, len(frame), step)])
    low, high = (float(q) for q in np.quantile(values, [0.005, 0.995]))
    return InputFormat(height, _round(settings.size * aspect**0.5), channels, low,
               max(high, low + 1e-3), fit, scale, detail, ignored)


def load_normals(normals: Manifest, form: InputFormat, *, seed: int,
                 progress: Callable[[int, int], None] | None = None) -> Tensor:
    """The images of `load_canvases`, of one part."""
    return load_canvases([normals], form, seed=seed, progress=progress).images


def load_canvases(parts: Sequence[Manifest], form: InputFormat, *, seed: int,
                  progress: Callable[[int, int], None] | None = None) -> Canvases:
    """Images of each part that are `learned` from, each of the canvas's size, part after part.

    With fit "tile" random crops: of each part at least 1,024 of native pixels, or 2,048 of images
    that are resized, each at a scale of its own.
    """
    chosen = [learned_images(part) for part in parts]
    repeats = [_crops_of_each(len(part), form) for part in chosen]
    counts = tuple(len(part) * each for part, each in zip(chosen, repeats, strict=True))
    # Filled in place: at thousands of images a second copy is a gigabyte.
    images = torch.empty(sum(counts), form.channels, form.height, form.width)
    ignored = torch.zeros(sum(counts), form.height, form.width, dtype=torch.bool) \
        if form.ignored else None
    at = read = 0
    total = sum(map(len, chosen))
    for part, each in zip(chosen, repeats, strict=True):
        rng = np.random.default_rng(seed)
        for row in part:
            image = read_image(part.image_file(row))
            for canvas, hidden in _canvases(image, each, form, rng):
                images[at] = canvas
                if ignored is not None:
                    ignored[at] = hidden
                at += 1
            read += 1
            if progress:
                progress(read, total)
    return Canvases(images, ignored, counts)


def _crops_of_each(images: int, form: InputFormat) -> int:
    if form.fit == "resize":
        return 1
    return -(-max(TILES_AT_LEAST if form.scale == 1 else ZOOMED_AT_LEAST, images) // images)


def _canvases(image: NDArray[np.uint8] | NDArray[np.uint16], crops: int, form: InputFormat,
              rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """A whole image, or crops of it, as the discriminator sees it; and what of each is ignored."""
    if form.fit == "resize":
        seen = form.for_discriminator(form.prepare(image)[None])[0]
        yield seen, _ignored(seen, form)
        return
    views = [form.prepare(image)] * crops if form.scale == 1 else \
        [form.prepare(image, zoom) for zoom in np.exp(rng.uniform(*LOG_ZOOM, crops))]
    for view in views:
        seen = form.for_discriminator(view[None])[0]
        yield _crop(seen, _ignored(seen, form), form, rng)


def learned(groups: Sequence[str]) -> Sequence[int]:
    """Numbers of a split's images that networks learn from; groups: the part each one shows."""
    return reservoir(groups, MOST_IMAGES)


def learned_images(images: Manifest) -> Manifest:
    """Those of a split that networks learn from."""
    chosen = np.zeros(len(images), dtype=bool)
    chosen[learned(list(images.frame["group"]))] = True
    return images.where(chosen)


def load_prepared(images: Manifest, form: InputFormat) -> Callable[[int], Tensor]:
    """Number of an image of a split -> it as a detector judges it, (channels, H, W), read when it
    is asked for."""
    return lambda number: form.prepare(read_image(images.image_file(images.row(number))))


def prepared_sizes(images: Manifest, form: InputFormat) -> Callable[[int], tuple[int, int]]:
    """Number of an image of a split -> height and width of it as a detector judges it."""
    if form.fit == "resize":
        return lambda number: form.prepared_size
    native = images.frame[["height", "width"]].to_numpy()
    return lambda number: form.prepared_size_of(*map(int, native[number]))


def load_whole(images: Manifest, form: InputFormat) -> list[Tensor]:
    """All images of a split as a detector judges them, each (channels, H, W)."""
    return list(map(load_prepared(images, form), range(len(images))))


def _values(image: np.ndarray, ignored: str) -> np.ndarray:
    """Inspected values of an image, flat."""
    values = to_float(image)
    hidden = ignored_pixels(ignored, *image.shape[:2])
    return values.ravel() if hidden is None else values[~hidden].ravel()


def _ignored(seen: Tensor, form: InputFormat) -> Tensor:
    """(H, W) bool, what is not inspected of a whole image as the discriminator sees it."""
    found = form.ignored_at(*seen.shape[-2:])
    return torch.zeros(seen.shape[-2:], dtype=torch.bool) if found is None else found.pixels


def _fit(normals: Manifest, settings: Image, ignored: str) -> tuple[str, float]:
    """Fit and scale: native tiles only where they show more, take little time, and lose no
    knowledge of the place; tiles at one scale where the parts' shapes differ."""
    frame = normals.frame
    height, width = (int(frame[side].median()) for side in ("height", "width"))
    shapes = (frame["width"] / frame["height"]).quantile([0.1, 0.9])
    tiles = len(starts(height, settings.size)) * len(starts(width, settings.size))
    larger = (height * width) ** 0.5 >= LARGER * settings.size
    if larger and tiles <= MOST_TILES and not _alike(normals, ignored):
        return "tile", 1.0
    if shapes[0.9] > SHAPES * shapes[0.1]:
        area = float((frame["width"] * frame["height"]).median())
        return "tile", FINER * settings.size / area**0.5
    return "resize", 1.0


def _alike(normals: Manifest, ignored: str) -> bool:
    """Whether a place on one part is like the same place on another."""
    rows = map(normals.row, range(0, len(normals), max(1, len(normals) // LAYOUT_IMAGES)))
    small = InputFormat(LAYOUT_SIDE, LAYOUT_SIDE, 1, 0.0, 1.0, "resize", ignored=ignored)
    images = torch.stack([small.to_canvas(read_image(normals.image_file(row))) for row in rows])
    return position_share(images) >= ALIKE


def _crop(image: Tensor, ignored: Tensor, form: InputFormat, rng: np.random.Generator
          ) -> tuple[Tensor, Tensor]:
    """A tile of an image that is inspected in part, and what of it is ignored."""
    image, mask = pad_to(image[None], form.height, form.width)[0], \
        pad_to(ignored[None, None].float(), form.height, form.width)[0, 0] > 0
    limits = image.shape[-2] - form.height, image.shape[-1] - form.width
    if form.ignored:
        # Around an inspected place, so that no tile is ignored whole.
        places = torch.nonzero(~mask)
        place = places[int(rng.integers(len(places)))].tolist()
        top, left = (int(np.clip(at - rng.integers(side), 0, limit)) for at, side, limit
                     in zip(place, (form.height, form.width), limits, strict=True))
    else:
        top, left = (int(rng.integers(limit + 1)) for limit in limits)
    window = (..., slice(top, top + form.height), slice(left, left + form.width))
    return image[window].contiguous(), mask[window].contiguous()


def _round(side: float) -> int:
    return max(32, CANVAS_MULTIPLE * round(side / CANVAS_MULTIPLE))
