"""An exported detector in ONNX Runtime, with the interface of `hdm.HDM`."""

import json
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from hdm.dataset.appearance import Appearance
from hdm.dataset.ignore_mask import from_text
from hdm.detector.detector import Prediction
from hdm.errors import HDMError

FACTS = "hdm"
WHITE = {8: 255, 16: 65535}
AT_ONCE = 4_000_000
"""Pixels of the images that are judged at once, unless a single image has more."""


class RuntimeDetector:
    """Reads what `hdm.export.onnx_file.export` wrote.

    facts: what the file says of itself: line, version, threshold, operating point.
    Raises HDMError if the file is no exported detector, or ONNX Runtime is not installed.
    """

    def __init__(self, file: Path, threads: int) -> None:
        need("onnxruntime")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Threads that spin while they wait take the cores from those that decode and answer.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"])
            facts = self._session.get_modelmeta().custom_metadata_map[FACTS]
        except Exception as error:
            raise HDMError(f"{file} is not a detector that `hdm export` wrote "
                           f"({str(error).splitlines()[0][:200]}); export it again.") from error
        self.facts: dict[str, Any] = json.loads(facts)

    def predict(self, images: Sequence[np.ndarray], batch_size: int = 16) -> list[Prediction]:
        """See `hdm.HDM.predict`; images of one size are judged together."""
        found: dict[int, Prediction] = {}
        for numbers in _alike(images, batch_size):
            stack = np.stack([self._native(images[n]) for n in numbers])
            found.update(zip(numbers, self._judge(stack), strict=True))
        return [found[n] for n in range(len(images))]

    def _judge(self, stack: np.ndarray) -> Iterator[Prediction]:
        limit = float(self.facts["threshold"])
        text = self.facts.get("ignored", "")
        ignored = from_text(text).touched(*stack.shape[1:3]).numpy() if text else None
        rows = zip(*self._session.run(None, {"image": stack}), strict=True)
        for score, p_value, probability, defect, anomaly_map, appearance in rows:
            yield Prediction(float(score), float(p_value), float(probability),
                             "defect" if defect else "good", limit, anomaly_map,
                             Appearance(*(float(value) for value in appearance)), ignored)

    def _native(self, image: np.ndarray) -> np.ndarray:
        """(H, W, C) in the depth that the graph takes."""
        planes = image[..., None] if image.ndim == 2 else image
        size = self.facts["size"]
        if size and list(planes.shape[:2]) != size:
            raise HDMError(f"expected an image of {size[0]} x {size[1]} px, received "
                           f"{planes.shape[0]} x {planes.shape[1]}; the exported model judges "
                           "tiles and takes one size.")
        if self.facts["depth"] == 16 and planes.dtype == np.uint8:
            return planes.astype(np.uint16) * np.uint16(257)  # 255 becomes 65535
        if self.facts["depth"] == 8 and planes.dtype == np.uint16:
            raise HDMError("expected an image of 8 bit a channel, received 16 bit; export the "
                           "model with --depth 16.")
        return planes


def need(*libraries: str) -> None:
    """Raise HDMError if one of the optional libraries is missing."""
    missing = [name for name in libraries if find_spec(name) is None]
    if missing:
        raise HDMError(f"ONNX needs {', '.join(missing)}, which is not installed; say "
                       "`pip install 'hdm[onnx]'`.")


def _alike(images: Sequence[np.ndarray], most: int) -> Iterator[list[int]]:
    """Numbers of images of one shape, few enough to be judged at once."""
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for number, image in enumerate(images):
        by_shape.setdefault(image.shape, []).append(number)
    for shape, numbers in by_shape.items():
        size = max(1, min(most, AT_ONCE // (shape[0] * shape[1])))
        yield from (numbers[start:start + size] for start in range(0, len(numbers), size))
