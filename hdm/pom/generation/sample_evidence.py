"""What POM knows of a synthetic sample: how unlikely, how findable, how different it is."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from scipy import ndimage
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn import functional as F

from hdm.dagm.bank import SampleBank
from hdm.dagm.mask_codes import CHANGED, is_known, is_touched
from hdm.dataset.input_format import InputFormat
from hdm.diffusion.latent_prior import AT_ONCE, LatentPrior, fixed_noise
from hdm.diffusion.latent_space import positions
from hdm.diffusion.unet import UNet
from hdm.model_settings import Denoiser, Training
from hdm.training.loop import learning_rate, step_generator

GAP_LEVEL = 0.34
BATCH = 32
PROBE = Denoiser(stem=4, widths=(32, 48), blocks=1)
PROBE_TRAINING = Training(steps=80, batch=16, learning_rate=2e-3)
Progress = Callable[[int, int], None] | None


def likelihood_gaps(bank: SampleBank, normals: Tensor, prior: LatentPrior, form: InputFormat, *,
                    seed: int, progress: Progress = None) -> tuple[np.ndarray, np.ndarray]:
    """How much less likely each sample is than its good base, inside its mask.

    The gap is the in-mask mean of the logarithm of the latents' denoising error, of the sample
    minus that of the base, with the same noise. The second array is the same figure between two
    noises on the unchanged base: what chance alone makes of it.

    Returns: gaps (S,), chance gaps (S,).
    """
    bases = bank.table["base"].to_numpy()
    gaps, chance, done = np.zeros(len(bases)), np.zeros(len(bases)), 0
    for base in np.unique(bases):
        rows = np.flatnonzero(bases == base)
        good = prior.latents(form.canvas_for_encoder(normals[base][None]))
        for part in np.split(rows, range(AT_ONCE, len(rows), AT_ONCE)):
            seen = prior.latents(form.canvas_for_encoder(bank.images[part].float()))
            gaps[part], chance[part] = _gaps(prior, seen, good, bank.masks[part], seed)
        done += len(rows)
        if progress:
            progress(done, len(bases))
    return gaps, chance


def _gaps(prior: LatentPrior, seen: Tensor, good: Tensor, masks: Tensor, seed: int
          ) -> tuple[np.ndarray, np.ndarray]:
    """`likelihood_gaps` of samples of one base from latents (N, D, h, w) and the base's (1, D, h,
    w). Only places under the masks (N, H, W) are denoised: they are a small part of all."""
    height, width = seen.shape[-2:]
    inside = F.adaptive_max_pool2d(is_touched(masks).float()[:, None], (height, width))[:, 0] > 0
    sample, place = torch.nonzero(inside.flatten(1), as_tuple=True)
    changed = seen.movedim(1, -1).flatten(1, 2)[sample, place]
    unchanged = good.movedim(1, -1).flatten(0, 2)[place]
    where = positions(height, width)[place] if prior.told.place else None

    def error(latents: Tensor, noise_seed: int) -> Tensor:
        noise = fixed_noise(height * width, latents.shape[1], noise_seed)
        found = prior.residual(latents, noise[place], GAP_LEVEL, where)
        return found.clamp(min=1e-6).log().cpu()

    usual = error(unchanged, seed)
    differences = torch.stack([error(changed, seed), error(unchanged, seed + 100)]) - usual
    total = torch.zeros(2, len(seen)).index_add_(1, sample, differences)
    mean = total / torch.bincount(sample, minlength=len(seen)).clamp(min=1)
    return mean[0].numpy().astype(float), mean[1].numpy().astype(float)


def detectabilities(bank: SampleBank, normals: Tensor, *, seed: int,
                    progress: Progress = None) -> np.ndarray:
    """AUROC inside against outside the mask, of a small probe that never saw the sample, (S,).

    Two probes are trained for 80 steps, each on the samples of one half of the good images, and
    judge the samples of the other half: 0.5 is chance, 1 is found at once.
    """
    bases = bank.table["base"].to_numpy()
    fold = torch.from_numpy(np.random.default_rng(seed).integers(0, 2, len(normals))[bases])
    scores = np.full(len(bases), 0.5)
    for side in (0, 1):
        if len(fold.unique()) < 2:  # nothing to learn from, or nothing to judge: chance
            continue
        probe = _fit_probe(bank, torch.nonzero(fold != side).flatten(), seed + side)
        for number, rows in enumerate(torch.nonzero(fold == side).flatten().split(BATCH)):
            with torch.no_grad():
                maps = _probe_maps(probe, bank.images[rows].float())
            changed, known = _half(bank.masks[rows] == CHANGED), ~_half(~is_known(bank.masks[rows]))
            for row, *planes in zip(rows.tolist(), maps, changed, known, strict=True):
                scores[row] = _in_mask_auroc(*planes)
            if progress:
                progress(side * len(bases) // 2 + (number + 1) * BATCH, len(bases))
    return scores


def descriptors(bank: SampleBank, normals: Tensor) -> np.ndarray:
    """What makes samples alike: size, place, shape and kind of change, standardised, (S, 10)."""
    rows = []
    for image, mask, base in zip(bank.images, bank.masks, bank.table["base"], strict=True):
        inside = is_touched(mask).numpy()
        y, x = np.nonzero(inside)
        change = (image.float() - normals[base]).numpy()[:, y, x] if len(y) else np.zeros((1, 1))
        spread = np.sort(np.linalg.eigvalsh(np.cov(np.stack([y, x])))) if len(y) > 2 else (1.0, 1.0)
        rough = ndimage.laplace(image.float().mean(0).numpy())[inside].std() if len(y) else 0.0
        rows.append([np.log1p(len(y)), y.mean() if len(y) else 0, x.mean() if len(x) else 0,
                     np.log1p(spread[0]), np.log1p(spread[1]), change.mean(), change.std(),
                     np.abs(change).max(), rough, change.mean(1).std()])
    table = np.nan_to_num(np.array(rows, dtype=float))
    return (table - table.mean(0)) / np.maximum(table.std(0), 1e-9)


def measure(bank: SampleBank, normals: Tensor, prior: LatentPrior | None, form: InputFormat, *,
            seed: int, progress: Progress = None) -> pd.DataFrame:
    """The bank's table with gap, chance_gap and detectability added; without a prior, gaps are 0
    and the probe decides alone."""

    def half(number: int) -> Progress:
        return progress and (lambda done, of: progress(number * of + min(done, of), 2 * of))

    gaps = chance = np.zeros(len(bank.table))
    if prior is not None:
        gaps, chance = likelihood_gaps(bank, normals, prior, form, seed=seed, progress=half(0))
    found = detectabilities(bank, normals, seed=seed, progress=half(1))
    return bank.table.assign(gap=gaps, chance_gap=chance, detectability=found)


def _fit_probe(bank: SampleBank, rows: Tensor, seed: int) -> UNet:
    """A small segmentation network trained on half-size samples for a few seconds."""
    torch.manual_seed(seed)
    probe = UNet(bank.images.shape[1], 1, PROBE)
    optimizer = torch.optim.AdamW(probe.parameters(), lr=PROBE_TRAINING.learning_rate)
    for step in range(PROBE_TRAINING.steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, PROBE_TRAINING)
        generator = step_generator(seed, step)
        chosen = rows[torch.randint(len(rows), (PROBE_TRAINING.batch,), generator=generator)]
        images = bank.images[chosen].float()
        target = _half(bank.masks[chosen] == CHANGED).float()[:, None]
        logits = probe(F.avg_pool2d(images, 2))
        weight = torch.tensor(8.0)
        loss = F.binary_cross_entropy_with_logits(logits, target, pos_weight=weight)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return probe.eval()


def _probe_maps(probe: UNet, images: Tensor) -> Tensor:
    return probe(F.avg_pool2d(images, 2))[:, 0]


def _half(masks: Tensor) -> Tensor:
    """(N, H, W) bool at half the size: true where any of the four pixels is."""
    return F.max_pool2d(masks.float()[:, None], 2)[:, 0] > 0


def _in_mask_auroc(anomaly_map: Tensor, changed: Tensor, known: Tensor) -> float:
    known = known | changed
    inside = changed[known]
    if not inside.any() or inside.all():
        return 0.5
    return float(roc_auc_score(inside.numpy(), anomaly_map[known].numpy()))
