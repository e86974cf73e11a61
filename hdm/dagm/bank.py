"""The sample bank: good images, what was grown on them, where, and how."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save
from torch import Tensor
from torch.nn import functional as F

from hdm.dagm.blending import blend, visible_change
from hdm.dagm.foreground import foregrounds
from hdm.dagm.mask_codes import CHANGED
from hdm.dagm.masks import draw_mask
from hdm.dagm.perturbed_reverse import perturbed_reverse
from hdm.dagm.sources import SOURCES
from hdm.dagm.two_tones import two_toned
from hdm.dataset.input_format import InputFormat
from hdm.diffusion.normal_prior import NormalPrior
from hdm.errors import HDMError
from hdm.files import atomic_file
from hdm.model_settings import DagmSynthesize

BATCH = 24
STRENGTH = (0.2, 0.9)  # mean change inside the mask, of a range of 2: faint to plain
OPAQUE = {"repaint": 2.0}
"""Sources that hide what was there, with the strength that no change exceeds."""
FINEST = 0.2
"""Noise level, a share of the range, below which the good image's own detail is kept."""
MINIMUM_EXPLAINED, JUDGED_UP_TO = 0.3, 0.25
"""Share of held-out variance that a prior must explain, and up to which noise level."""
INFLATION_END = (0.3, 0.9)
"""Share of each reverse process, its end, in which no variance is inflated: what was torn heals
into the line's own texture, where else it would stay grain."""
RIM = 8
"""Px by which an image is continued, mirrored, while it is drawn again: beside the zeros beyond a
border the prior leaves speckle, by which a defect would be known (docs/experiments.md, "Mirrored
answers, and good images that nobody took")."""


@dataclass(frozen=True)
class SampleBank:
    """Synthetic defects on good images.

    images: (N, C, H, W) float16, normalised. masks: (N, H, W) uint8, 1 where the image visibly
    changed, 2 where it changed less than the noise of a good image (not to be learned from).
    table: one row a sample: base (row of the good image), split of the base, source, family,
    tau, start, grown (row of `grown` that its content was cut from, or -1), strength, opacity,
    visible (share of the mask).
    grown: (G, C, H, W) float16, whole images that the prior drew again.
    """

    images: Tensor
    masks: Tensor
    table: pd.DataFrame
    grown: Tensor = field(default_factory=lambda: torch.empty(0))

    def save(self, folder: Path) -> None:
        """Write bank.safetensors and bank.parquet."""
        with atomic_file(folder / "bank.safetensors") as temporary:
            temporary.write_bytes(save(
                {"images": self.images, "masks": self.masks, "grown": self.grown}))
        with atomic_file(folder / "bank.parquet") as temporary:
            self.table.to_parquet(temporary, index=False)

    @classmethod
    def load(cls, folder: Path) -> "SampleBank":
        """Read what `save` wrote; raises HDMError if it is missing or damaged."""
        try:
            tensors = load_file(folder / "bank.safetensors")
            table = pd.read_parquet(folder / "bank.parquet")
            return cls(tensors["images"], tensors["masks"], table, tensors["grown"])
        except Exception as error:
            raise HDMError(f"the sample bank in {folder} cannot be read "
                           f"({str(error).splitlines()[0]}); restore it with `dvc checkout` or run "
                           "dagm_synthesize again.") from error


def usable_sources(settings: DagmSynthesize, explained: dict[str, float], normals: Tensor,
                   form: InputFormat) -> dict[str, float]:
    """Shares of the sources on a line with the good images `normals` (N, C, H, W).

    A line of two tones is repainted and nothing else: there any other content is known by its grey
    (docs/experiments.md, "Nearest good features, two tones"). Elsewhere the settings' shares hold,
    without the prior's where `why_not_redrawn` says so and there are other sources.
    """
    two = two_toned(normals) if settings.two_tones is None else settings.two_tones
    if two:
        return {"repaint": 1.0}
    shares = {name: share for name, share in settings.sources.items() if share > 0}
    if why_not_redrawn(settings, explained, form) and len(shares) > 1:
        shares.pop("diffusion", None)
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()}


def why_not_redrawn(settings: DagmSynthesize, explained: dict[str, float], form: InputFormat
                    ) -> str:
    """Why nothing is to be grown with the prior; empty if it is.

    By tiles, what the prior redraws of one place is mostly what is good at another, and the
    discriminator is better without it (docs/experiments.md, "Is what the prior redraws a defect?").
    The prior is judged at the lower noise levels, where the end of every chain is made; a short
    training may leave the coarsest scales unexplained, which only makes what grows there stranger.
    """
    if settings.redraw is not None:
        return "" if settings.redraw else "dagm_synthesize.redraw is false"
    if form.fit == "tile":
        return "the line is judged by tiles, where what it redraws is good at another place"
    fine = [share for level, share in explained.items() if float(level) <= JUDGED_UP_TO]
    if min(fine) < MINIMUM_EXPLAINED:
        return "it explains too little of held-out good images; train it longer"
    return ""


def synthesize(normals: Tensor, splits: list[str], prior: NormalPrior, settings: DagmSynthesize,
               shares: dict[str, float], *, seed: int,
               progress: Callable[[int, int], None] | None = None) -> SampleBank:
    """Grow `settings.samples` defects on `normals` (N, C, H, W); `splits` names each one's split.

    Sample i depends on (seed, i) alone, except that diffusion grows its samples in batches. Four
    samples in five have a base from the training images, the fifth one from the calibration
    images, kept apart for synthetic validation.
    """
    count, size = settings.samples, (normals.shape[2], normals.shape[3])
    rngs = [np.random.default_rng([seed, index]) for index in range(count)]
    names = list(shares)
    fronts = foregrounds(normals)
    pools = [np.flatnonzero(np.array(splits) == split) for split in ("train", "calibration")]
    rows, masks = [], np.zeros((count, *size), bool)
    for index, rng in enumerate(rngs):
        pool = pools[1] if index % 5 == 4 and len(pools[1]) else pools[0]
        base = int(rng.choice(pool))
        family, masks[index] = draw_mask(rng, size, fronts[base])
        rows.append({"base": base, "split": splits[base], "family": family,
                     "source": str(rng.choice(names, p=list(shares.values()))),
                     "other": int(rng.choice(pool)),
                     "strength": float(np.exp(rng.uniform(*np.log(STRENGTH)))), "opacity": 1.0,
                     "feather": rng.uniform(0, 1.2), "tau": np.nan, "start": np.nan})
    table = pd.DataFrame(rows)
    table["strength"] = table["source"].map(OPAQUE).fillna(table["strength"])
    contents = _contents(normals, table, prior, settings, rngs, seed, progress)
    redrawn = (table["source"] == "diffusion").to_numpy()
    table["grown"] = np.where(redrawn, redrawn.cumsum() - 1, -1)
    images, visible = _blend(normals, contents, masks, table)
    table["visible"] = (visible == CHANGED).sum((1, 2)) / np.maximum(1, masks.sum((1, 2)))
    return SampleBank(torch.from_numpy(images.astype(np.float16)), torch.from_numpy(visible),
                      table.drop(columns=["other"]),
                      torch.from_numpy(contents[redrawn].astype(np.float16)))


def _contents(normals: Tensor, table: pd.DataFrame, prior: NormalPrior, settings: DagmSynthesize,
              rngs: list[np.random.Generator], seed: int,
              progress: Callable[[int, int], None] | None) -> np.ndarray:
    """Anomalous content of every sample, (N, C, H, W)."""
    contents = np.zeros((len(table), *normals.shape[1:]), np.float32)
    done = 0
    for index in np.flatnonzero(table["source"] != "diffusion"):
        base, other = table.at[index, "base"], table.at[index, "other"]
        contents[index] = SOURCES[table.at[index, "source"]](
            rngs[index], normals[base].numpy(), normals[other].numpy())
        done += 1
        if progress:
            progress(done, len(table))
    grown = np.flatnonzero(table["source"] == "diffusion")
    for number, part in enumerate(np.split(grown, range(BATCH, len(grown), BATCH))):
        if not len(part):
            continue
        rng = np.random.default_rng([seed, 1, number])
        low, high = np.log(max(settings.tau_low, 1e-3)), np.log(max(settings.tau_high, 1e-3))
        tau = np.exp(rng.uniform(low, high, len(part)))
        start = rng.uniform(settings.start_low, settings.start_high)
        inflation_end = start * rng.uniform(*INFLATION_END)
        bases = F.pad(normals[table.loc[part, "base"].tolist()], (RIM,) * 4, mode="reflect")
        redrawn = perturbed_reverse(
            prior, bases.to(prior.backend.device),
            torch.from_numpy(tau).float().to(prior.backend.device), start=start,
            inflation_end=inflation_end, end=FINEST, steps=settings.reverse_steps,
            structured=bool(number % 2),
            generator=torch.Generator().manual_seed(seed * 1_009 + number))
        contents[part] = redrawn[..., RIM:-RIM, RIM:-RIM].cpu().numpy()
        table.loc[part, "tau"], table.loc[part, "start"] = tau, start
        done += len(part)
        if progress:
            progress(done, len(table))
    return contents


def _blend(normals: Tensor, contents: np.ndarray, masks: np.ndarray, table: pd.DataFrame
           ) -> tuple[np.ndarray, np.ndarray]:
    """Mix content into the base images; returns images and masks with invisible change as 2."""
    images = np.empty_like(contents)
    labels = np.zeros(masks.shape, np.uint8)
    for index, row in enumerate(table.itertuples()):
        base = normals[row.base].numpy()
        images[index], labels[index], table.loc[index, "opacity"] = blend(
            base, contents[index], masks[index], row.strength, row.feather, visible_change(base))
    return images, labels
