"""From a detector and what people said of its answers to one that has learned of it.

Confirmed defects become a kind of evidence of their own, nearness to them in the space of latents;
false alarms join what is known of good images. Prior, grown defects and discriminators stay as they
are: a few pictures among hundreds change none of them.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from hdm.dataset.evenly import evenly
from hdm.dataset.manifest import Manifest
from hdm.dataset.tensors import load_canvases, load_prepared
from hdm.detector.ddm import DDM, towards
from hdm.detector.detector import HDM
from hdm.detector.scorer import Scorer, beside, evidence_maps
from hdm.model_settings import Benign
from hdm.pom.discrimination.building import HeldOut, build_detector
from hdm.pom.discrimination.fusion_fit import fit_fusion
from hdm.pom.discrimination.told_direction import ToldLatents, told_latents

LEAST = 4
"""Confirmed defects below which nobody can say whether they help to find others."""
ASKED = 64
"""Held-out good images that left-out defects are compared with, at most."""
WORSE = 0.02
"""By which left-out defects may be told worse than before for what was learned to answer."""


def learn(before: HDM, defects: Manifest, alarms: Manifest, normals: Tensor, benign: Benign,
          held: HeldOut, *, seed: int, ignored: Tensor | None = None
          ) -> tuple[HDM, dict[str, Any]]:
    """The detector after feedback, and notes: figures as `build_detector` returns them; joined, how
    many false alarms joined the good images; learned, whether confirmed defects have a say; worth,
    how well each was told from held-out good images by what had not seen it, before and after
    (share of good images below it, 0 to 1).

    Args:
        defects, alarms: pictures that were confirmed to be defective, and good ones that were
            called defective; either may be empty. normals: (n, C, H, W) what was trained on;
            ignored: (n, H, W) bool, what of it is not inspected, None where all is.

    Raises DataError if a picture cannot be read.
    """
    module = before.scorer.ddm
    good, hidden = normals, ignored
    # Of a part that is judged by tiles there are so many crops that they would count as half.
    if module.form.fit == "resize" and len(alarms):
        seen = load_canvases([alarms], module.form, seed=seed)
        good = torch.cat([normals, seen.images])
        hidden = None if ignored is None or seen.ignored is None else \
            torch.cat([ignored, seen.ignored])
    told, worth = None, {}
    if module.prior is not None and len(defects):
        latents = told_latents(defects, alarms, module, lambda image: _odd(before, image))
        told = latents.direction()
        if len(latents.defects) >= LEAST:
            worth = _worth(before, latents, defects, held)
            told = told if worth["after"] >= worth["before"] - WORSE else None
    after, figures = build_detector(
        DDM(module.form, module.prior, module.network, module.settings, module.backend, told),
        good, benign, held,
        before.info | {"feedback": {"defects": len(defects), "false_alarms": len(alarms)}},
        before.decidability, hidden)
    return after, figures | {"learned": told is not None, "worth": worth,
                            "joined": len(good) - len(normals)}


def _odd(detector: HDM, image: Tensor) -> Tensor:
    return detector.scorer.inspect([image])[0].evidence.pixels[0, 0]


def _worth(before: HDM, latents: ToldLatents, defects: Manifest, held: HeldOut
           ) -> dict[str, float]:
    """Each part's defects are left out of the direction that they are told by. Good images are some
    of those that evidences are joined on: those that set thresholds had no say in anything."""
    load, joins = load_prepared(defects, before.scorer.ddm.form), held.joins
    good = [_looked(before.scorer, held.load(joins[n])) for n in evenly(len(joins), ASKED)]
    bad = [_looked(before.scorer, load(number)) for number in latents.numbers.tolist()]
    groups = defects.frame["group"].to_numpy()
    own = groups[latents.numbers.numpy()]
    was, now = _below(before.scorer.ddm, good, bad, None), np.empty(len(bad))
    for part in dict.fromkeys(own):
        rows = np.flatnonzero(own == part)
        direction = latents.direction(np.flatnonzero(groups == part).tolist())
        now[rows] = _below(before.scorer.ddm, good, [bad[row] for row in rows], direction)
    return {"before": float(was.mean()), "after": float(now.mean())}


class _Looked(NamedTuple):
    """Of one image: maps (1, K, h, w) of all kinds, and latents (1, D, h, w)."""

    maps: Tensor
    latents: Tensor


def _looked(scorer: Scorer, image: Tensor) -> _Looked:
    latents = scorer.ddm.latents(scorer.ddm.form.for_encoder(image[None]))
    assert latents is not None
    return _Looked(evidence_maps(scorer.ddm, scorer.normality, image[None]), latents)


def _below(module: DDM, good: list[_Looked], bad: list[_Looked], direction: Tensor | None
           ) -> np.ndarray:
    """Of each defect, the share of good images that score lower, nearness along the direction
    among the evidence."""
    form = module.form
    canvas, told = (form.height, form.width), 0.0 if direction is None else module.settings.told
    known, asked = ([one.maps if direction is None else _with_nearness(one, direction)
                     for one in side] for side in (good, bad))
    fusion = fit_fusion(known, canvas, tiled=form.fit == "tile", told=told,
                        ignored=form.ignored_at)
    goods, bads = (np.array([
        fusion.evidence(one, canvas, form.ignored_at(*one.shape[-2:])).scores.item()
        for one in side]) for side in (known, asked))
    return (goods[None] < bads[:, None]).mean(1)


def _with_nearness(one: _Looked, direction: Tensor) -> Tensor:
    """Its maps as `maps_and_overview` gives them, (1, K + 1, h, w)."""
    maps, taught = one.maps[:, :-1], one.maps[:, -1:]
    return torch.cat([maps, beside(towards(one.latents, direction), taught)], 1)
