"""What people said of pictures, as the discriminators see it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from hdm.dagm.real_defects import CROPS, RealDefects, load_defects
from hdm.dataset.input_format import InputFormat
from hdm.dataset.manifest import Manifest
from hdm.dataset.tensors import Canvases, load_canvases


@dataclass(frozen=True)
class FeedbackImages:
    """real: confirmed defects. alarms: (A, C, H, W) canvases or crops of good pictures that were
    called defective; alarm: (A,) number of the picture that each is of; ignored: (A, H, W) bool,
    what of them is not inspected, None where all is."""

    real: RealDefects
    alarms: Tensor
    alarm: Tensor
    ignored: Tensor | None = None

    def without(self, defects: Collection[int], alarms: Collection[int]) -> "FeedbackImages":
        """All but some pictures."""
        kept = ~torch.isin(self.alarm, torch.tensor(list(alarms), dtype=torch.long))
        pictures = set(self.real.picture.tolist()) - set(defects)
        return FeedbackImages(self.real.of(sorted(pictures)), self.alarms[kept], self.alarm[kept],
                              None if self.ignored is None else self.ignored[kept])


def load_feedback(defects: Manifest, alarms: Manifest, form: InputFormat,
                  find: Callable[[Tensor], Tensor], *, seed: int) -> FeedbackImages:
    """Read both; for `find` see `load_defects`. Either may be empty. Raises DataError."""
    real = load_defects(defects, form, find, seed=seed)
    size = (form.height, form.width)
    good = load_canvases(alarms, form, seed=seed, crops=CROPS) if len(alarms) else Canvases(
        torch.empty(0, form.channels, *size),
        torch.empty(0, *size, dtype=torch.bool) if form.ignored else None)
    count = len(good.images)
    return FeedbackImages(real, good.images,
                          torch.arange(count) // max(1, count // max(1, len(alarms))), good.ignored)
