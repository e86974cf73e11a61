"""What the discriminators are shown of what people said: false alarms among the good images,
confirmed defects among the grown ones, often although they are few."""

import numpy as np
import torch
from torch import Tensor

from hdm.dagm.blending import VISIBLE_PIXELS, blend, visible_change
from hdm.dagm.feedback_images import FeedbackImages
from hdm.dagm.mask_codes import CHANGED, IGNORED, is_known
from hdm.ddm.batches import Batch, Batches, augment

REAL_SHARE = 0.5
"""Of the defects of a batch that are real ones."""
ALARM_SHARE = 0.34
"""Of the good images of a batch that are false alarms."""
PASTED_SHARE = 0.5
"""Of the real defects whose pixels are known that are seen on another good image."""
NEARBY = 0.1
"""Largest shift of a pasted defect, of the sides, where a place means something."""
OPAQUE = 9.0
"""Strength that no change exceeds: a real defect hides what was there."""


class FeedbackBatches:
    """Draws batches that hold what people said.

    Args:
        batches: what is shown without it. feedback: what people said. anywhere: a defect may be
            where it likes, as with tiles.
    """

    def __init__(self, batches: Batches, feedback: FeedbackImages, *, anywhere: bool) -> None:
        self.batches, self.real, self.anywhere = batches, feedback.real, anywhere
        self.defects = _rows(feedback.real.picture)
        self.alarms, self.alarm = feedback.alarms, _rows(feedback.alarm)
        self.ignored = feedback.ignored

    def draw(self, step: int, generator: torch.Generator) -> Batch:
        """The batch of one step; all of its chances come from the generator."""
        return augment(self.scenes(generator), self.batches.benign, generator)

    def scenes(self, generator: torch.Generator) -> Batch:
        """As `Batches.scenes`, some of the good images and of the defects replaced."""
        seen, mask, weight = self.batches.scenes(self.batches.selection, generator)
        rng = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
        clean = int((mask.flatten(1).sum(1) == 0).sum())
        for place in range(max(1, round(ALARM_SHARE * clean)) if self.alarm else 0):
            row = _drawn(self.alarm, rng)
            seen[place] = self.alarms[row]
            weight[place] = 1 if self.ignored is None else (~self.ignored[row]).float()
        if self.defects:
            last = len(seen)
            for place in range(last - max(1, round(REAL_SHARE * (last - clean))), last):
                seen[place], label = self._real(rng)
                mask[place, 0] = (label == CHANGED).float()
                weight[place, 0] = is_known(label).float()
        return Batch(seen, mask, weight)

    def _real(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """A confirmed defect (C, H, W) and its label (H, W), as it was or on another good image."""
        row, normals = _drawn(self.defects, rng), self.batches.normals
        image, label = self.real.images[row], self.real.labels[row]
        for axis in (-1, -2) if self.anywhere else ():
            if rng.random() < 0.5:
                image, label = image.flip(axis), label.flip(axis)
        if bool(self.real.drawn[row]) and rng.random() < PASTED_SHARE:
            base, hidden = int(rng.integers(len(normals))), self.batches.ignored
            moved, where = paste(normals[base].numpy(), image.numpy(), label.numpy(), rng,
                                 anywhere=self.anywhere,
                                 ignored=None if hidden is None else hidden[base].numpy())
            if (where == CHANGED).sum() >= VISIBLE_PIXELS:
                return torch.from_numpy(moved), torch.from_numpy(where)
        return image, label


def _rows(picture: Tensor) -> list[list[int]]:
    """Rows of each picture."""
    return [torch.nonzero(picture == number).flatten().tolist() for number in picture.unique()]


def _drawn(rows: list[list[int]], rng: np.random.Generator) -> int:
    """A row; pictures are drawn alike often, whatever their number of crops."""
    own = rows[int(rng.integers(len(rows)))]
    return own[int(rng.integers(len(own)))]


def paste(base: np.ndarray, image: np.ndarray, label: np.ndarray, rng: np.random.Generator, *,
          anywhere: bool, ignored: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The defect of an image (C, H, W) on a good one, of which `ignored` (H, W) bool is not
    inspected: changed image, label uint8 (H, W)."""
    move = []
    for axis in (0, 1):
        covered = np.flatnonzero(_touched(label).any(1 - axis))
        side = label.shape[axis]
        low, high = -int(covered[0]), side - 1 - int(covered[-1])
        if not anywhere:
            low, high = max(low, -round(NEARBY * side)), min(high, round(NEARBY * side))
        move.append(int(rng.integers(low, high + 1)))
    image, label = np.roll(image, move, (1, 2)), np.roll(label, move, (0, 1))
    around = label == IGNORED
    if around.any():  # to the light of its new surroundings
        image = image + (base - image)[:, around].mean(1)[:, None, None]
    changed, where, _ = blend(base, image, _touched(label), OPAQUE, rng.uniform(0.5, 1.5),
                              visible_change(base, ignored), ignored)
    return changed, np.where((where == CHANGED) & (label == IGNORED), IGNORED, where)


def _touched(label: np.ndarray) -> np.ndarray:
    return (label == CHANGED) | (label == IGNORED)
