"""From trained networks to a whole detector: what good images look like is fitted on training
images; p-values come from held-out good images, probabilities beside them from synthetic defects
that were grown on held-out good images and never trained on."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from hdm.dagm.bank import SampleBank
from hdm.dagm.mask_codes import CHANGED, IGNORED
from hdm.dataset.appearance import Appearance
from hdm.ddm.augmentation import pose
from hdm.detector.calibration import Calibration
from hdm.detector.ddm import DDM
from hdm.detector.detector import HDM
from hdm.detector.operating_point import choose
from hdm.detector.scorer import Scorer
from hdm.model_settings import ThresholdRule
from hdm.pom.discrimination.calibration_fit import calibrate
from hdm.pom.discrimination.normality_fit import fit_normality

GOOD_PIXEL_STEP, DEFECT_PIXEL_STEP = 41, 17
NORMALITY_IMAGES = 512
"""At most so many are held in memory at a time; more would tell little new."""
BATCH = 32


class HeldOut(NamedTuple):
    """What was held out of training.

    images: n calibration images as `InputFormat.prepare` gives them, whole even where they are
    judged by tiles: of many tiles one seems odd more often than a single one. canvases:
    (m, C, H, W), the images or tiles of them. bank, rows: samples of the bank grown on these.
    """

    images: Sequence[Tensor]
    canvases: Tensor
    bank: SampleBank
    rows: np.ndarray


def build_detector(ddm: DDM, normals: Tensor, held: HeldOut, info: dict[str, Any]
                   ) -> tuple[HDM, dict[str, float | None]]:
    """The detector of a trained module, from training images (n, C, H, W) and what was held out.

    Returns it, deciding by the default operating point, and image and pixel AUROC on the synthetic
    defects (None without any): how well it finds what it was taught to find, not how well it will
    do on real defects.
    """
    scorer = build_scorer(ddm, normals)
    calibration, figures = calibrated(scorer, held)
    return HDM(scorer, calibration, choose(calibration, ThresholdRule()), info), figures


def build_scorer(ddm: DDM, normals: Tensor) -> Scorer:
    """The module joined with what training images (n, C, H, W) show of good parts."""
    some = normals[:: -(-len(normals) // NORMALITY_IMAGES)]
    judged = [ddm.judge(part) for part in some.split(BATCH)]
    posed = None
    if ddm.settings.normality and ddm.form.fit == "resize":
        none = torch.zeros(len(some), 2, *some.shape[2:])
        posed, _ = pose(some, none, ddm.settings.benign, torch.Generator().manual_seed(0))
    return Scorer(ddm, fit_normality(some, torch.cat([part.logits for part in judged]),
                                     torch.cat([part.context for part in judged]), posed))


def calibrated(scorer: Scorer, held: HeldOut) -> tuple[Calibration, dict[str, float | None]]:
    """Calibration, and figures as `build_detector` returns them."""
    scores = np.array([evidence.scores.item() for evidence in scorer.inspect(held.images)])
    good = scorer.evidence(held.canvases)
    synthetic, found = np.empty(0), None
    pixels = good.pixels.flatten()[::GOOD_PIXEL_STEP]
    labels = torch.zeros(len(pixels))
    if len(held.rows):
        defects = scorer.evidence(held.bank.images[held.rows].float())
        synthetic = defects.scores.numpy()
        mask = held.bank.masks[held.rows][:, None]
        known = mask != IGNORED
        pixels = torch.cat([pixels, defects.pixels[known][::DEFECT_PIXEL_STEP]])
        labels = torch.cat([labels, (mask[known] == CHANGED).float()[::DEFECT_PIXEL_STEP]])
        found = roc_auc_score(np.r_[np.zeros(len(held.canvases)), np.ones(len(synthetic))],
                              np.r_[good.scores.numpy(), synthetic])
    calibration = calibrate(scores, [Appearance.of(image) for image in held.images], synthetic,
                            pixels.numpy(), labels.numpy())
    both = 0 < labels.sum() < len(labels)
    return calibration, {
        "synthetic_image_auroc": None if found is None else float(found),
        "synthetic_pixel_auroc": float(roc_auc_score(labels, pixels)) if both else None,
    }
