"""Good images as tensors, the way the line's input format says; the latent prior, if there is
one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from hdm.dataset.held_out import joining_images
from hdm.dataset.input_format import InputFormat
from hdm.dataset.manifest import Manifest
from hdm.dataset.tensors import load_canvases, load_prepared
from hdm.diffusion.latent_prior import LatentPrior
from hdm.errors import HDMError
from hdm.files import read_json, write_json
from hdm.line import Line
from hdm.progress import Report
from hdm.settings import Params

FORMAT, PRIOR = "input.json", "prior"


@dataclass(frozen=True)
class Normals:
    """images: (N, C, H, W) of the split train, and of those held-out ones that are `joining`, in
    this order; splits names each image's split; form is how they were made; ignored (N, H, W) bool,
    what of them is not inspected; None where all is."""

    images: Tensor
    splits: list[str]
    form: InputFormat
    ignored: Tensor | None = None

    @property
    def train_ignored(self) -> Tensor | None:
        """What of `train` is not inspected."""
        return None if self.ignored is None else self.ignored[:self.splits.count("train")]

    @property
    def train(self) -> Tensor:
        """Images that networks learn from."""
        return self.images[:self.splits.count("train")]

    @property
    def calibration(self) -> Tensor:
        """Images that were held out, and prepare the detector."""
        return self.images[self.splits.count("train"):]


def normals_of(line: Line, settings: Params, form: InputFormat, progress: Report | None = None
               ) -> Normals:
    """Read the line's good images that it is made of, as the discriminator sees them."""
    manifest = Manifest.load(line.manifest_file, line.source_root)
    parts = [manifest.split("train"), joining_images(manifest)]
    loaded = load_canvases(parts, form, seed=settings.seed, progress=progress)
    splits = [part.frame["split"].iloc[0] for part, count in zip(parts, loaded.counts, strict=True)
              for _ in range(count)]
    return Normals(loaded.images, splits, form, loaded.ignored)


def whole_images(line: Line, split: str, form: InputFormat
                 ) -> tuple[Callable[[int], Tensor], tuple[str, ...]]:
    """A split's images as a detector judges them, each (C, H, W), read when they are asked for; and
    the physical part that each shows."""
    images = Manifest.load(line.manifest_file, line.source_root).split(split)
    return load_prepared(images, form), tuple(images.frame["group"])


def save_format(form: InputFormat, folder: Path) -> None:
    """Write the line's input format, which dagm_fit measures, into its folder."""
    write_json(folder / FORMAT, form.as_dict())


def format_of(line: Line) -> InputFormat:
    """The line's input format; raises HDMError if dagm_fit's result is not there or not one."""
    file = line.stage_folder("dagm_fit") / FORMAT
    try:
        return InputFormat(**read_json(file))
    except (TypeError, ValueError):
        raise HDMError(f"{file} does not describe an input format of this version; restore it "
                       "with `dvc checkout` or run dagm_fit again.") from None


def prior_of(line: Line, device: torch.device) -> LatentPrior | None:
    """The line's latent prior; None without a backbone."""
    folder = line.stage_folder("dagm_fit") / PRIOR
    return LatentPrior.load(folder, device) if folder.is_dir() else None
