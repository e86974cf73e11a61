"""What the discriminators' word weighs once they have learned from real defects.

Chosen by pictures that were left out of what judged them: confirmed defects against held-out good
images and false alarms. No test image is asked.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from sklearn.metrics import roc_auc_score
from torch import Tensor

from hdm.dagm.feedback_images import FeedbackImages
from hdm.dataset.evenly import evenly
from hdm.dataset.manifest import Manifest
from hdm.dataset.tensors import load_prepared
from hdm.detector.ddm import DDM
from hdm.detector.ensemble import Ensemble
from hdm.detector.normality import Normality
from hdm.detector.scorer import beside
from hdm.pom.discrimination.fusion_fit import fit_fusion, usual_weight
from hdm.pom.discrimination.normality_fit import logit_moments

FOLDS = 3
LEAST = 4
"""Confirmed defects below which nothing is chosen."""
ASKED = 128
"""Held-out good images that are asked at most."""
WEIGHTS = (0.2, 1 / 3, 0.5, 2 / 3, 0.8, 0.9)
"""Never 1: what nobody has seen yet is the diffusion's to find."""
LOWEST = 0.2
"""Shares of false alarms that are compared, from 0: no line works at more."""
BETTER = 0.005
"""By which another weight must find more to be chosen."""
WORSE = 0.02
"""By which left-out defects may be told worse than before for what was learned to answer."""
Refine = Callable[[FeedbackImages, str], Ensemble]
"""Discriminators that have learned from these and no others; the name says which they are."""


class Choice(NamedTuple):
    """taught: weight of what the discriminators say, None for the usual one. learned: whether those
    that learned from people are to answer. worth: how well pictures that were left out were told
    (partial AUROC), before and by each weight after."""

    taught: float | None
    learned: bool
    worth: dict[str, float]


def choose_weight(base: DDM, refine: Refine, images: FeedbackImages, defects: Manifest,
                  alarms: Manifest, held: tuple[Callable[[int], Tensor], int],
                  normality: Normality, normals: Tensor, ignored: Tensor | None = None) -> Choice:
    """By folds of the pictures, each judged by discriminators that learned from the others.

    Args:
        held: number of one of so many held-out good images -> it as prepared. normality: of base;
            its moments of logits are taken anew of `normals` (n, C, H, W) for each fold, where
            these are not `ignored`, (n, H, W) bool.
    """
    if len(defects) < LEAST:
        return Choice(None, True, {})
    load, count = held
    sides = [[load(number) for number in evenly(count, ASKED)],
             *([*map(load_prepared(part, base.form), range(len(part)))]
               for part in (defects, alarms))]
    diffusion = [[base.diffusion_of_prepared(image[None]) for image in side] for side in sides]
    folds = [_folds(part) for part in (defects, alarms)]
    usual = usual_weight(tiled=base.form.fit == "tile")
    weights = sorted({*WEIGHTS, usual}) if base.prior else [usual]
    worth: dict[str, list[float]] = defaultdict(list)
    for number in sorted(set(folds[0])):
        rows = [range(len(sides[0])), *(np.flatnonzero(fold == number) for fold in folds)]
        asked = [[(side[n], known[n]) for n in own]
                 for side, known, own in zip(sides, diffusion, rows, strict=True)]
        network = refine(images.without(*rows[1:]), f"fold-{number}")
        after = DDM(base.form, base.prior, network, base.settings, base.backend)
        own = replace(normality, logit=logit_moments(after.judge(normals), ignored))
        maps = [[_maps(after, own, *one) for one in side] for side in asked]
        # Alarms were drawn by what the detector before said of them: they count against it alone.
        worth["before"].append(_told(
            [[_maps(base, normality, *one) for one in side] for side in asked[:2]], usual, base))
        worth["after"].append(_told(maps[:2], usual, after))
        for weight in weights:
            worth[f"{weight:.2f}"].append(_told(maps, weight, after))
    mean = {name: float(np.mean(values)) for name, values in worth.items()}
    best = max(weights, key=lambda weight: (mean[f"{weight:.2f}"], -abs(weight - usual)))
    gained = mean[f"{best:.2f}"] > mean[f"{usual:.2f}"] + BETTER
    return Choice(best if gained else None, mean["after"] >= mean["before"] - WORSE, mean)


def _told(maps: Sequence[Sequence[Tensor]], weight: float, ddm: DDM) -> float:
    """How well defects are told from good images where few of these are called defective; maps of
    held-out good images, which evidences are joined by, of defects, and of other good images."""
    canvas = (ddm.form.height, ddm.form.width)
    fusion = fit_fusion(maps[0], canvas, tiled=ddm.form.fit == "tile",
                        taught=weight if ddm.prior else None, ignored=ddm.form.ignored_at)
    good, bad, *more = (np.array([
        fusion.evidence(one, canvas, ddm.form.ignored_at(*one.shape[-2:])).scores.item()
        for one in side]) for side in maps)
    scores = np.concatenate([good, *more, bad])
    labels = np.arange(len(scores)) >= len(scores) - len(bad)
    return float(roc_auc_score(labels, scores, max_fpr=LOWEST))


def _maps(ddm: DDM, normality: Normality, image: Tensor, diffusion: Tensor | None) -> Tensor:
    seen = ddm.form.for_discriminator(image[None])
    taught = normality.joined(seen, ddm.taught(seen))
    return taught if diffusion is None else beside(diffusion, taught)


def _folds(part: Manifest) -> np.ndarray:
    """The fold of each picture; pictures of one part are in one."""
    groups = list(dict.fromkeys(part.frame["group"]))
    return np.array([groups.index(group) % FOLDS for group in part.frame["group"]], int)
