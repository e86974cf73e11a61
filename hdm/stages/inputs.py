"""Good images as tensors, the way the prior's input format says."""

from dataclasses import dataclass

import torch
from torch import Tensor

from hdm.dataset.input_format import InputFormat
from hdm.dataset.manifest import Manifest
from hdm.dataset.tensors import load_normals, load_whole, measure_format
from hdm.line import Line
from hdm.progress import Report
from hdm.settings import Params


@dataclass(frozen=True)
class Normals:
    """images: (N, C, H, W) of the splits train and calibration, in this order; splits names
    each image's split; form is how they were made."""

    images: Tensor
    splits: list[str]
    form: InputFormat

    @property
    def train(self) -> Tensor:
        """Images that networks learn from."""
        return self.images[:self.splits.count("train")]

    @property
    def calibration(self) -> Tensor:
        """Images that were held out."""
        return self.images[self.splits.count("train"):]


def normals_of(line: Line, settings: Params, form: InputFormat | None = None,
               progress: Report | None = None) -> Normals:
    """Read the line's good images of train and calibration; measures the format if not given."""
    manifest = Manifest.load(line.manifest_file, line.source_root)
    parts = [manifest.split(name) for name in ("train", "calibration")]
    form = form or measure_format(parts[0], settings.image)
    total = sum(map(len, parts))
    tensors, splits, done = [], [], 0
    for part in parts:
        def moved(count: int, _: int, before: int = done) -> None:
            if progress:
                progress(before + count, total)

        tensors.append(load_normals(part, form, seed=settings.seed, progress=moved))
        splits += [part.frame["split"].iloc[0]] * len(tensors[-1])
        done += len(part)
    return Normals(torch.cat(tensors), splits, form)


def whole_images(line: Line, split: str, form: InputFormat) -> list[Tensor]:
    """A split's images as a detector judges them, each (C, H, W)."""
    return load_whole(Manifest.load(line.manifest_file, line.source_root).split(split), form)
