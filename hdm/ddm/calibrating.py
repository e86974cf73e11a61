"""Fit a detector's calibration: p-values on held-out good images, probabilities beside them on
synthetic defects that were grown on held-out good images and never trained on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from hdm.dagm.bank import SampleBank
from hdm.dataset.appearance import Appearance
from hdm.ddm.augmentation import pose
from hdm.pom.calibration import calibrate
from hdm.pom.normality import Normality

if TYPE_CHECKING:
    from hdm.detector import HDM

GOOD_PIXEL_STEP, DEFECT_PIXEL_STEP = 41, 17
IGNORED = 2
NORMALITY_IMAGES = 512
"""At most so many are held in memory at a time; more would tell little new."""
BATCH = 32


def fit_normality(detector: "HDM", normals: Tensor) -> None:
    """Set `detector.normality` from training images (n, C, H, W)."""
    some = normals[:: -(-len(normals) // NORMALITY_IMAGES)]
    judged = [detector.judge(part) for part in some.split(BATCH)]
    posed = None
    if detector.settings.normality and detector.form.fit == "resize":
        none = torch.zeros(len(some), 2, *some.shape[2:])
        posed, _ = pose(some, none, detector.settings.benign, torch.Generator().manual_seed(0))
    detector.normality = Normality.fit(some, torch.cat([part.logits for part in judged]),
                                       torch.cat([part.context for part in judged]), posed)


def calibrate_detector(detector: "HDM", images: Sequence[Tensor], canvases: Tensor,
                       bank: SampleBank, rows: np.ndarray) -> dict[str, float | None]:
    """Set `detector.calibration`; returns synthetic validation figures.

    Args:
        images: n calibration images as `InputFormat.prepare` gives them, whole even where they
            are judged by tiles: of many tiles one seems odd more often than a single one.
        canvases: (m, C, H, W), the images or tiles of them. rows: samples of the bank grown on
            these.

    Returns: image and pixel AUROC on the synthetic defects (None without any): how well the
    detector finds what it was taught to find, not how well it will do on real defects.
    """
    scores = np.array([evidence.scores.item() for evidence in detector.inspect(images)])
    good = detector.evidence(canvases)
    synthetic, found = np.empty(0), None
    pixels = good.pixels.flatten()[::GOOD_PIXEL_STEP]
    labels = torch.zeros(len(pixels))
    if len(rows):
        defects = detector.evidence(bank.images[rows].float())
        synthetic = defects.scores.numpy()
        mask = bank.masks[rows][:, None]
        known = mask != IGNORED
        pixels = torch.cat([pixels, defects.pixels[known][::DEFECT_PIXEL_STEP]])
        labels = torch.cat([labels, (mask[known] == 1).float()[::DEFECT_PIXEL_STEP]])
        found = roc_auc_score(np.r_[np.zeros(len(canvases)), np.ones(len(synthetic))],
                              np.r_[good.scores.numpy(), synthetic])
    detector.calibration = calibrate(scores, [Appearance.of(image) for image in images], synthetic,
                                     pixels.numpy(), labels.numpy())
    both = 0 < labels.sum() < len(labels)
    return {
        "synthetic_image_auroc": None if found is None else float(found),
        "synthetic_pixel_auroc": float(roc_auc_score(labels, pixels)) if both else None,
    }
