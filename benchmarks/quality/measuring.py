"""From a detector and a set's test images to the quality figures of a row."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from math import isfinite
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.quality.methods.method import Score
from hdm.dataset.images import read_mask
from hdm.dataset.input_format import InputFormat
from hdm.dataset.manifest import GOOD, Manifest, Row
from hdm.detector.conformal import conformal_threshold
from hdm.evaluation.bootstrap import auroc_samples, group_weights, interval
from hdm.evaluation.metrics import image_auroc
from hdm.evaluation.pixels import LEVELS, PixelTally, aupro, pixel_auroc
from hdm.settings import Evaluate

RATES = (0.01, 0.05, 0.10)
LIGHT = {"gain_0.9": (0.9, 0.0), "gain_1.1": (1.1, 0.0),
         "offset_-0.1": (1.0, -0.1), "offset_0.1": (1.0, 0.1)}
"""Gain of the image's value, and offset as a share of the line's range of values."""
RESAMPLES = 200
"""So many of the bootstrap's values are kept: resample i draws the same parts for every method of a
set and seed, so that the spread of a difference can be told from two rows."""
BATCH = 32


def measure(score: Score, test: Manifest, images: list[Tensor], calibration: list[Tensor],
            shown: Sequence[str], changed: Mapping[str, Callable[[], list[Tensor]]],
            settings: Evaluate, seed: int) -> dict[str, Any]:
    """The row's figures that follow from scores and maps.

    Args:
        images: those of `test` in its order, as the score takes them: prepared, or their evidence;
            calibration: good images that thresholds are set on, and nothing else is; shown: the
            part that each of them shows. changed: the same images in
            another light, by its name.

    False alarms are counted in parts: a good one is one without a defective picture, and is called
    a defect if any of its pictures is. Pixel figures are at each image's own size, with the map
    interpolated to it.
    """
    start = perf_counter()
    scores, maps = scored(score, images)
    seconds = perf_counter() - start
    truth = test.frame["label"].to_numpy(dtype=bool)
    groups = list(test.frame["group"])
    weights = group_weights(groups, settings.bootstrap, seed)
    resampled = auroc_samples(weights, truth, scores)
    span = interval(resampled, settings.interval, len(set(groups)))
    tally = pixels(test, maps)
    normal = scored(score, calibration)[0]
    limits = {rate: conformal_threshold(normal, rate, shown)[0] for rate in RATES}
    good = parts_of(test, scores)
    return {
        "image_auroc": image_auroc(truth, scores).value,
        "pixel_auroc": pixel_auroc(tally).value,
        "aupro": aupro(tally, settings.aupro_limit).value,
        "by_type": by_type(test, scores),
        "interval": {"image_auroc": [span.low, span.high]},
        "resamples": [round(value, 5) if isfinite(value) else None
                      for value in resampled[:RESAMPLES].tolist()],
        "false_alarm_rates": {f"{rate:.2f}": float((good > limit).mean())
                              for rate, limit in limits.items()},
        "calibration_normals": len(normal), "calibration_parts": len(set(shown)),
        "test_good_parts": len(good),
        "test_normals": int((~truth).sum()), "test_defects": int(truth.sum()),
        "test_groups": len(set(groups)),
        "lighting": {name: image_auroc(truth, scored(score, make())[0]).value
                     for name, make in changed.items()},
        "ms_per_image": 1000 * seconds / len(images),
    }


def parts_of(test: Manifest, scores: np.ndarray) -> np.ndarray:
    """The largest score of each good part's pictures, (parts,)."""
    parts = test.frame.assign(score=scores).groupby("group")
    return parts["score"].max()[parts["label"].max() == 0].to_numpy()


def scored(score: Score, images: list[Tensor]) -> tuple[np.ndarray, list[Tensor]]:
    """Scores (N,) float64 and maps, each (H, W), of all images; those of one size in batches."""
    scores, maps = [], []
    for _, same in groupby(images, key=lambda image: image.shape):
        for part in torch.stack(list(same)).split(BATCH):
            found, answer = score(part)
            scores.append(found)
            maps += list(answer.float())
    together = torch.cat(scores)
    if not (torch.isfinite(together).all() and all(torch.isfinite(one).all() for one in maps)):
        raise FloatingPointError("a score or an anomaly map is not finite")
    return together.numpy().astype(np.float64), maps


def by_type(test: Manifest, scores: np.ndarray) -> dict[str, float | None]:
    """Image AUROC of each defect type against all good images."""
    kinds = test.frame["defect_type"].to_numpy()
    found = {}
    for kind in sorted(set(kinds) - {GOOD}):
        among = np.isin(kinds, (GOOD, kind))
        found[kind] = image_auroc(kinds[among] == kind, scores[among]).value
    return found


def relights(images: list[Tensor], form: InputFormat) -> dict[str, Callable[[], list[Tensor]]]:
    """Prepared images in each light, made when they are asked for."""
    def make(gain: float, offset: float) -> list[Tensor]:
        return [relit(image, form, gain, offset) for image in images]

    return {name: partial(make, *light) for name, light in LIGHT.items()}


def relit(images: Tensor, form: InputFormat, gain: float, offset: float) -> Tensor:
    """What images were if the camera had seen gain x value + offset x range; it saturates."""
    span = form.high - form.low
    values = (images + 1) / 2 * span + form.low
    values = (gain * values + offset * span).clamp(0, 1)
    return ((values - form.low) / span * 2 - 1).clamp(-3, 3)


def pixels(test: Manifest, maps: list[Tensor]) -> PixelTally:
    """Pixels by level of anomaly; defects without a mask are left out."""
    tally = PixelTally()
    if test.frame["mask_path"].isna().all():
        return tally
    edges = level_edges(maps)
    for row, anomaly_map, mask in _with_masks(test, maps):
        native = F.interpolate(anomaly_map[None, None], size=(row.height, row.width),
                               mode="bilinear", align_corners=False)[0, 0].numpy()
        tally.add(np.searchsorted(edges, native, side="right").astype(np.uint16), mask)
    return tally


def level_edges(maps: list[Tensor]) -> np.ndarray:
    """Limits of 65,536 levels that are equally full of these pixels.

    Maps of different methods have different ranges and tails; ranking needs only their order.
    """
    values = np.sort(torch.cat([one.flatten() for one in maps]).numpy())
    place = np.linspace(0, len(values) - 1, LEVELS + 1)[1:-1]
    return np.unique(values[np.rint(place).astype(int)])


def _with_masks(test: Manifest, maps: list[Tensor]
                ) -> Iterator[tuple[Row, Tensor, np.ndarray | None]]:
    for row, anomaly_map in zip(test, maps, strict=True):
        file = test.mask_file(row) if row.label else None
        mask = read_mask(file) if file else None
        if mask is not None and not mask.any():
            mask = None
        if not row.label or mask is not None:
            yield row, anomaly_map, mask
