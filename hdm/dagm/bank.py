"""The sample bank: good images, what was grown on them, where, and how."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save
from torch import Tensor

from hdm.dagm.blending import blend, visible_change
from hdm.dagm.foreground import foregrounds
from hdm.dagm.mask_codes import CHANGED
from hdm.dagm.masks import draw_mask
from hdm.dagm.sources import REPAINT, SOURCES
from hdm.dagm.two_tones import two_toned
from hdm.errors import HDMError
from hdm.files import atomic_file
from hdm.model_settings import DagmSynthesize

STRENGTH = (0.2, 0.9)  # mean change inside the mask, of a range of 2: faint to plain
OPAQUE = {REPAINT: 2.0}
"""Sources that hide what was there, with the strength that no change exceeds."""


@dataclass(frozen=True)
class SampleBank:
    """Synthetic defects on good images.

    images: (N, C, H, W) float16, normalised. masks: (N, H, W) uint8, 1 where the image visibly
    changed, 2 where it changed less than the noise of a good image (not to be learned from), 3
    where the line's ignore mask covers it.
    table: one row a sample: base (row of the good image), split of the base, source, family,
    strength, opacity, visible (share of the mask).
    """

    images: Tensor
    masks: Tensor
    table: pd.DataFrame

    def save(self, folder: Path) -> None:
        """Write bank.safetensors and bank.parquet."""
        with atomic_file(folder / "bank.safetensors") as temporary:
            temporary.write_bytes(save(
                {"images": self.images, "masks": self.masks}))
        with atomic_file(folder / "bank.parquet") as temporary:
            self.table.to_parquet(temporary, index=False)

    @classmethod
    def load(cls, folder: Path) -> "SampleBank":
        """Read what `save` wrote; raises HDMError if it is missing or damaged."""
        try:
            tensors = load_file(folder / "bank.safetensors")
            table = pd.read_parquet(folder / "bank.parquet")
            return cls(tensors["images"], tensors["masks"], table)
        except Exception as error:
            raise HDMError(f"the sample bank in {folder} cannot be read "
                           f"({str(error).splitlines()[0]}); restore it with `dvc checkout` or run "
                           "dagm_synthesize again.") from error


def usable_sources(settings: DagmSynthesize, normals: Tensor, ignored: Tensor | None = None
                   ) -> dict[str, float]:
    """Shares of the sources on a line with the good images `normals` (N, C, H, W), of which
    `ignored` (N, H, W) bool is not inspected.

    A line of two tones is repainted and nothing else: there any other content is known by its grey
    (docs/experiments.md, "Nearest good features, two tones"). Elsewhere the settings' shares hold.
    """
    two = two_toned(normals, ignored) if settings.two_tones is None else settings.two_tones
    if two:
        return {REPAINT: 1.0}
    total = sum(settings.sources.values())
    return {name: share / total for name, share in settings.sources.items() if share > 0}


def synthesize(normals: Tensor, splits: list[str], settings: DagmSynthesize,
               shares: dict[str, float], *, seed: int,
               progress: Callable[[int, int], None] | None = None,
               ignored: Tensor | None = None) -> SampleBank:
    """Grow `settings.samples` defects on `normals` (N, C, H, W), none where these are `ignored`,
    (N, H, W) bool; `splits` names each one's split.

    Sample i depends on (seed, i) alone. Four samples in five have a base from the training images,
    the fifth one from the calibration images, kept apart for synthetic validation.
    """
    count, size = settings.samples, (normals.shape[2], normals.shape[3])
    rngs = [np.random.default_rng([seed, index]) for index in range(count)]
    names = list(shares)
    fronts, hidden = foregrounds(normals), ignored_of(ignored, len(normals))
    pools = [np.flatnonzero(np.array(splits) == split) for split in ("train", "calibration")]
    rows, masks = [], np.zeros((count, *size), bool)
    for index, rng in enumerate(rngs):
        pool = pools[1] if index % 5 == 4 and len(pools[1]) else pools[0]
        base = int(rng.choice(pool))
        family, masks[index] = draw_mask(rng, size, fronts[base], ignored=hidden[base])
        rows.append({"base": base, "split": splits[base], "family": family,
                     "source": str(rng.choice(names, p=list(shares.values()))),
                     "other": int(rng.choice(pool)),
                     "strength": float(np.exp(rng.uniform(*np.log(STRENGTH)))), "opacity": 1.0,
                     "feather": rng.uniform(0, 1.2)})
    table = pd.DataFrame(rows)
    table["strength"] = table["source"].map(OPAQUE).fillna(table["strength"])
    contents = _contents(normals, table, rngs, progress)
    images, visible = _blend(normals, contents, masks, table, hidden)
    table["visible"] = (visible == CHANGED).sum((1, 2)) / np.maximum(1, masks.sum((1, 2)))
    return SampleBank(torch.from_numpy(images.astype(np.float16)), torch.from_numpy(visible),
                      table.drop(columns=["other"]))


def _contents(normals: Tensor, table: pd.DataFrame, rngs: list[np.random.Generator],
              progress: Callable[[int, int], None] | None) -> np.ndarray:
    """Anomalous content of every sample, (N, C, H, W)."""
    contents = np.zeros((len(table), *normals.shape[1:]), np.float32)
    for index, row in enumerate(table.itertuples()):
        contents[index] = SOURCES[row.source](rngs[index], normals[row.base].numpy(),
                                              normals[row.other].numpy())
        if progress:
            progress(index + 1, len(table))
    return contents


def ignored_of(ignored: Tensor | None, count: int) -> list[np.ndarray | None]:
    """Of each of `count` images, (H, W) bool or None."""
    return [None] * count if ignored is None else list(ignored.numpy())


def _blend(normals: Tensor, contents: np.ndarray, masks: np.ndarray, table: pd.DataFrame,
           ignored: list[np.ndarray | None]) -> tuple[np.ndarray, np.ndarray]:
    """Mix content into the base images; returns images and masks with invisible change as 2."""
    images = np.empty_like(contents)
    labels = np.zeros(masks.shape, np.uint8)
    for index, row in enumerate(table.itertuples()):
        base = normals[row.base].numpy()
        images[index], labels[index], table.loc[index, "opacity"] = blend(
            base, contents[index], masks[index], row.strength, row.feather,
            visible_change(base, ignored[row.base]), ignored[row.base])
    return images, labels
