"""What people said of pictures, as the discriminators see it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from hdm.dagm.real_defects import CROPS, RealDefects, load_defects
from hdm.dataset.input_format import InputFormat
from hdm.dataset.manifest import Manifest
from hdm.dataset.tensors import load_normals


@dataclass(frozen=True)
class FeedbackImages:
    """real: confirmed defects. alarms: (A, C, H, W) canvases or crops of good pictures that were
    called defective; alarm: (A,) number of the picture that each is of."""

    real: RealDefects
    alarms: Tensor
    alarm: Tensor

    def without(self, defects: Collection[int], alarms: Collection[int]) -> "FeedbackImages":
        """All but some pictures."""
        kept = ~torch.isin(self.alarm, torch.tensor(list(alarms), dtype=torch.long))
        pictures = set(self.real.picture.tolist()) - set(defects)
        return FeedbackImages(self.real.of(sorted(pictures)), self.alarms[kept], self.alarm[kept])


def load_feedback(defects: Manifest, alarms: Manifest, form: InputFormat,
                  find: Callable[[Tensor], Tensor], *, seed: int) -> FeedbackImages:
    """Read both; for `find` see `load_defects`. Either may be empty. Raises DataError."""
    none = torch.empty(0, form.channels, form.height, form.width)
    real = load_defects(defects, form, find, seed=seed) if len(defects) else RealDefects(
        none, torch.empty(0, form.height, form.width, dtype=torch.uint8),
        torch.empty(0, dtype=torch.long), torch.empty(0, dtype=torch.bool))
    good = load_normals(alarms, form, seed=seed, crops=CROPS) if len(alarms) else none
    each = len(good) // max(1, len(alarms))
    return FeedbackImages(real, good, torch.arange(len(good)) // max(1, each))
