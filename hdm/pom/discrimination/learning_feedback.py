"""From a detector and what people said of its answers to one that has learned of it."""

from typing import Any

import torch
from torch import Tensor

from hdm.dagm.feedback_images import load_feedback
from hdm.dataset.manifest import Manifest
from hdm.detector.ddm import DDM
from hdm.detector.detector import HDM
from hdm.model_settings import Benign
from hdm.pom.discrimination.building import HeldOut, build_detector, normality_of
from hdm.pom.discrimination.taught_weight import Refine, choose_weight


def learn(before: HDM, defects: Manifest, alarms: Manifest, normals: Tensor, benign: Benign,
          held: HeldOut, refine: Refine, *, seed: int, ignored: Tensor | None = None
          ) -> tuple[HDM, dict[str, Any]]:
    """The detector after feedback, and notes: figures as `build_detector` returns them beside what
    `Choice` names.

    Args:
        defects, alarms: pictures that were confirmed to be defective, and good ones that were
            called defective; either may be empty. normals: (n, C, H, W) what was trained on;
            ignored: (n, H, W) bool, what of it is not inspected, None where all is.

    The latent prior and the grown defects stay as they are: a few pictures among hundreds change
    neither.
    """
    module = before.scorer.ddm
    form = module.form
    images = load_feedback(defects, alarms, form, lambda image: _odd(before, image), seed=seed)
    good, joins = normals, held.joins
    # Of a part that is judged by tiles there are so many crops that they would count as half.
    if form.fit == "resize":
        good = torch.cat([normals, images.alarms])
        ignored = None if ignored is None or images.ignored is None else \
            torch.cat([ignored, images.ignored])
    # Not by those that set thresholds: what is promised holds for scores they had no say in.
    choice = choose_weight(module, refine, images, defects, alarms,
                           (lambda place: held.load(joins[place]), len(joins)),
                           normality_of(module, good, benign, ignored), good, ignored)
    network = refine(images, "feedback") if choice.learned else module.network
    after, figures = build_detector(
        DDM(form, module.prior, network, module.settings, module.backend), good, benign, held,
        before.info | {"feedback": {"defects": len(defects), "false_alarms": len(alarms)}},
        choice.taught if choice.learned else None, before.decidability, ignored)
    return after, figures | choice._asdict()


def _odd(detector: HDM, image: Tensor) -> Tensor:
    return detector.scorer.inspect([image])[0].evidence.pixels[0, 0]
