"""An exported detector in another runtime, with the interface of `hdm.HDM`."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from hdm.dataset.appearance import Appearance
from hdm.dataset.ignore_mask import ignored_pixels
from hdm.detector.decidability import Doubt, Limits
from hdm.detector.detector import Prediction, decided
from hdm.errors import HDMError
from hdm.export.runtimes import opened

AT_ONCE = 4_000_000
"""Pixels of the images that are judged at once, unless a single image has more."""


class RuntimeDetector:
    """Reads what `hdm.export.exporting.export` wrote as .onnx or .xml.

    facts: what the file says of itself: line, version, threshold, operating point. run: the graph
    alone, see `hdm.export.runtimes.Opened`. Raises HDMError as `hdm.export.runtimes.opened`.
    """

    def __init__(self, file: Path, threads: int) -> None:
        self.facts, self.run = opened(file, threads)
        limits = self.facts.get("decidability")
        self._limits = Limits.from_dict(limits) if limits else None

    def predict(self, images: Sequence[np.ndarray], batch_size: int = 16) -> list[Prediction]:
        """See `hdm.HDM.predict`; images of one size are judged together. Where the graph takes one
        size, an image of another is undecidable, and scored as nearest pixels of that size."""
        size, found = self.facts["size"], dict[int, Prediction]()
        fitted = [image if size is None or image.shape[:2] == tuple(size)
                  else _nearest(_levelled(image, self._ignored(*image.shape[:2])), *size)
                  for image in images]
        for numbers in _alike(fitted, batch_size):
            stack = np.stack([self.native(fitted[n]) for n in numbers])
            found.update(zip(numbers, self._judge(stack), strict=True))
        return [found[n] if fitted[n].shape == image.shape
                else _of_other_size(found[n], image, self._ignored(*image.shape[:2]))
                for n, image in enumerate(images)]

    def _judge(self, stack: np.ndarray) -> Iterator[Prediction]:
        limit = float(self.facts["threshold"])
        ignored = self._ignored(*stack.shape[1:3])
        found = self.run(stack)
        for row in range(len(stack)):
            one = {name: values[row] for name, values in found.items()}
            called = bool(one["defect"])
            reasons = () if self._limits is None else \
                self._limits.doubts(one["figures"].tolist(), called=called)
            yield Prediction(float(one["score"]), float(one["p_value"]),
                             float(one["probability"]), decided(called, reasons), limit,
                             one["anomaly_map"],
                             Appearance(*(float(value) for value in one["appearance"])),
                             reasons=reasons, ignored=ignored)

    def _ignored(self, height: int, width: int) -> np.ndarray | None:
        """`InputFormat.ignored_pixels` of the detector."""
        return ignored_pixels(self.facts.get("ignored", ""), height, width)

    def native(self, image: np.ndarray) -> np.ndarray:
        """(H, W, C) in the depth that the graph takes."""
        planes = image[..., None] if image.ndim == 2 else image
        if self.facts["depth"] == 16 and planes.dtype == np.uint8:
            return planes.astype(np.uint16) * np.uint16(257)  # 255 becomes 65535
        if self.facts["depth"] == 8 and planes.dtype == np.uint16:
            raise HDMError("expected an image of 8 bit a channel, received 16 bit; export the "
                           "model with --depth 16.")
        return planes


def _nearest(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """An image or a map at another size, each pixel the nearest one."""
    if image.shape[:2] == (height, width):
        return image
    rows, columns = (np.arange(side) * own // side
                     for side, own in zip((height, width), image.shape, strict=False))
    return image[rows][:, columns]


def _levelled(image: np.ndarray, ignored: np.ndarray | None) -> np.ndarray:
    """With the inspected pixels' mean where it is `ignored` (H, W): nearest pixels of another size
    would carry some of it over the edge."""
    if ignored is None:
        return image
    out = image.copy()
    out[ignored] = 0 if ignored.all() else image[~ignored].mean(0).astype(image.dtype)
    return out


def _of_other_size(found: Prediction, image: np.ndarray, ignored: np.ndarray | None) -> Prediction:
    (height, width), graph = image.shape[:2], found.anomaly_map.shape
    doubt = Doubt("odd_shape", f"The picture has {width} x {height} px; the exported model judges "
                               f"tiles and takes {graph[1]} x {graph[0]} px alone.")
    anomaly_map = _nearest(found.anomaly_map, height, width)
    if ignored is not None:
        anomaly_map = np.where(ignored, np.float32(0), anomaly_map)
    return replace(found, decision="undecidable", reasons=(doubt,), anomaly_map=anomaly_map,
                   ignored=ignored)


def _alike(images: Sequence[np.ndarray], most: int) -> Iterator[list[int]]:
    """Numbers of images of one shape, few enough to be judged at once."""
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for number, image in enumerate(images):
        by_shape.setdefault(image.shape, []).append(number)
    for shape, numbers in by_shape.items():
        size = max(1, min(most, AT_ONCE // (shape[0] * shape[1])))
        yield from (numbers[start:start + size] for start in range(0, len(numbers), size))
