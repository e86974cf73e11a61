"""From trained networks to a whole detector: what good images look like is fitted on training
images; evidences are joined on some held-out parts (`hdm.dataset.held_out`), and p-values come from
all others; probabilities beside them from synthetic defects that were grown on the former and never
trained on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from hdm.dagm.bank import SampleBank
from hdm.dagm.mask_codes import CHANGED, NOT_INSPECTED, is_known
from hdm.dataset.appearance import Appearance
from hdm.dataset.evenly import evenly
from hdm.dataset.held_out import joining
from hdm.dataset.ignore_mask import Ignored
from hdm.dataset.tensors import learned
from hdm.detector.calibration import Calibration
from hdm.detector.ddm import DDM
from hdm.detector.decidability import Decidability
from hdm.detector.detector import HDM
from hdm.detector.evidence import Evidence
from hdm.detector.normality import Normality
from hdm.detector.operating_point import choose
from hdm.detector.scorer import Scorer, beside, evidence_maps
from hdm.model_settings import Benign, ThresholdRule
from hdm.pom.discrimination.calibration_fit import calibrate
from hdm.pom.discrimination.fusion_fit import fit_fusion, inspected
from hdm.pom.discrimination.normality_fit import fit_normality
from hdm.training.augmentation import pose

GOOD_PIXEL_STEP, DEFECT_PIXEL_STEP = 41, 17
NORMALITY_IMAGES = 512
"""At most so many are held in memory at a time; more would tell little new."""
JOINED_IMAGES = 256
"""Held-out images whose maps are held at a time, and join evidence, at most."""
SYNTHETIC = 64
"""Synthetic defects that probabilities are fitted on."""


@dataclass(frozen=True)
class HeldOut:
    """What was held out of training.

    load, count: number of one of `count` calibration images -> it as `InputFormat.prepare` gives
    it, whole even where images are judged by tiles: of many tiles one seems odd more often than a
    single one. canvases: (m, C, H, W), those of the `joins` that are `learned` from, or tiles of
    these, as the discriminator sees them. bank, rows: samples of the bank grown on these; `first`
    is the bank's number of the first canvas. groups: the part that each image shows; empty if each
    shows another.
    """

    load: Callable[[int], Tensor]
    count: int
    canvases: Tensor
    bank: SampleBank
    rows: np.ndarray
    first: int
    groups: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[str, ...]:
        """The part that each image shows, (count,)."""
        return self.groups or tuple(map(str, range(self.count)))

    @property
    def joins(self) -> list[int]:
        """Numbers of the images that evidence is joined on."""
        return np.flatnonzero(joining(self.parts)).tolist()

    @property
    def calibrates(self) -> list[int]:
        """Numbers of those that thresholds come from: all others."""
        return sorted(set(range(self.count)) - set(self.joins)) or self.joins


def build_detector(ddm: DDM, normals: Tensor, benign: Benign, held: HeldOut, info: dict[str, Any],
                   decidability: Decidability | None = None, ignored: Tensor | None = None
                   ) -> tuple[HDM, dict[str, float | None]]:
    """The detector of a trained module, from training images (n, C, H, W) and what was held out.

    decidability: as `fit_decidability` makes it, None to judge every picture. ignored: (n, H, W)
    bool, what of the training images is not inspected; None where all is.

    Returns it, deciding by the default operating point, and image and pixel AUROC on the synthetic
    defects (None without any): how well it finds what it was taught to find, not how well it will
    do on real defects.
    """
    normality = normality_of(ddm, normals, benign, ignored)
    joins = held.joins
    maps = {number: evidence_maps(ddm, normality, held.load(number)[None])
            for number in (joins[place] for place in evenly(len(joins), JOINED_IMAGES))}
    scorer = Scorer(ddm, normality, fit_fusion(
        list(maps.values()), (ddm.form.height, ddm.form.width), tiled=ddm.form.fit == "tile",
        told=0.0 if ddm.told is None else ddm.settings.told, ignored=ddm.form.ignored_at))
    calibration, figures = calibrated(scorer, held, maps)
    return HDM(scorer, calibration, choose(calibration, ThresholdRule()), info,
               decidability), figures


def normality_of(ddm: DDM, normals: Tensor, benign: Benign, ignored: Tensor | None = None
                 ) -> Normality:
    """What training images (n, C, H, W) show of good parts on the canvas; see `build_detector`."""
    chosen = evenly(len(normals), NORMALITY_IMAGES)
    some, posed = normals[chosen], None
    if ddm.settings.normality and ddm.form.fit == "resize":
        none = torch.zeros(len(some), 2, *some.shape[2:])
        posed, _ = pose(some, none, benign, torch.Generator().manual_seed(0))
    return fit_normality(some, ddm.judge(some), posed, None if ignored is None else ignored[chosen])


def calibrated(scorer: Scorer, held: HeldOut, maps: Mapping[int, Tensor]
               ) -> tuple[Calibration, dict[str, float | None]]:
    """Calibration, and figures as `build_detector` returns them; maps are of some of the images
    that join, by number."""
    form, found_scores, found_pixels, looks = scorer.ddm.form, [], [], []
    numbers = held.calibrates
    step = GOOD_PIXEL_STEP * -(-len(numbers) // JOINED_IMAGES)
    for number in numbers:
        image = held.load(number)
        own = evidence_maps(scorer.ddm, scorer.normality, image[None])
        good = scorer.evidence(own)
        found_scores.append(good.scores)
        seen = inspected(good.pixels, form.ignored_at(*own.shape[-2:]))
        found_pixels.append(seen.flatten()[::step])
        looks.append(Appearance.of(form.for_discriminator(image[None])[0]))
    scores, pixels = torch.cat(found_scores).numpy(), torch.cat(found_pixels)
    labels = torch.zeros(len(pixels))
    synthetic, found = np.empty(0), None
    rows = held.rows[evenly(len(held.rows), SYNTHETIC)]
    if len(rows):
        defects = _synthetic(scorer, held, rows, maps)
        synthetic = defects.scores.numpy()
        mask = held.bank.masks[rows][:, None]
        known = is_known(mask)
        pixels = torch.cat([pixels, defects.pixels[known][::DEFECT_PIXEL_STEP]])
        labels = torch.cat([labels, (mask[known] == CHANGED).float()[::DEFECT_PIXEL_STEP]])
        found = roc_auc_score(np.r_[np.zeros(len(scores)), np.ones(len(synthetic))],
                              np.r_[scores, synthetic])
    calibration = calibrate(scores, looks, synthetic, pixels.numpy(), labels.numpy(),
                            [held.parts[number] for number in numbers])
    both = 0 < labels.sum() < len(labels)
    return calibration, {
        "synthetic_image_auroc": None if found is None else float(found),
        "synthetic_pixel_auroc": float(roc_auc_score(labels, pixels)) if both else None,
    }


def _synthetic(scorer: Scorer, held: HeldOut, rows: np.ndarray, maps: Mapping[int, Tensor]
               ) -> Evidence:
    """Evidence of defects that were drawn on canvases, (m, 1, h, w).

    The encoder sees more detail than a canvas has, and would find any enlarged canvas strange. So
    diffusion is asked of the canvas with and without its defect, both enlarged, and what the
    defect adds is added to what it says of the good image itself; of a tile, to nothing.
    """
    ddm = scorer.ddm
    seen = held.bank.images[rows].float()
    taught = scorer.normality.joined(seen, ddm.judge(seen))
    bases = held.bank.table["base"].to_numpy()[rows] - held.first
    changed = ddm.of_canvases(seen)
    labels = held.bank.masks[rows]
    if changed is None:
        return _each(scorer, taught, labels)
    if ddm.form.fit == "resize":
        used, place = np.unique(bases, return_inverse=True)
        good = ddm.of_canvases(held.canvases[used])
        assert good is not None
        joins = held.joins
        chosen = learned([held.parts[number] for number in joins])
        numbers = [joins[chosen[base]] for base in used]
        own = torch.cat([
            maps[n] if n in maps else evidence_maps(ddm, scorer.normality, held.load(n)[None])
            for n in numbers])[place, :changed.shape[1]]
        added = beside(changed - good[place], taught)[:, :changed.shape[1]]
        return _each(scorer, torch.cat([own + added, taught], 1), labels)
    return _each(scorer, beside(changed, taught), labels)


def _each(scorer: Scorer, maps: Tensor, labels: Tensor) -> Evidence:
    """Evidence of canvases of which each may be ignored elsewhere, as its labels (h, w) say."""
    hidden = labels == NOT_INSPECTED
    if not hidden.any():
        return scorer.fusion.evidence(maps, scorer.canvas)
    each = [scorer.fusion.evidence(own[None], scorer.canvas, Ignored.of(mask))
            for own, mask in zip(maps, hidden, strict=True)]
    return Evidence(*(torch.cat(part) for part in zip(*each, strict=True)))
