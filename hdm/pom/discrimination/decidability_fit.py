"""Fitting what makes a picture undecidable, from a line's good pictures alone.

Training pictures, as they are and changed as `benign` says, show what is usual; held-out ones, how
far good parts stray. All figures together must stop no more good parts than the stated rate: how
odd a part is, is how far the oddest figure of its oddest picture is from the usual, and one number,
from held-out parts, is the limit of that for all figures.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from sklearn.covariance import ledoit_wolf
from torch import Tensor

from hdm.dataset.evenly import evenly
from hdm.detector.ddm import DDM
from hdm.detector.decidability import (
    FIGURES,
    SIZES,
    Decidability,
    Likeness,
    Limits,
    clipped,
    size_figures,
)
from hdm.detector.operating_point import conformal_rank
from hdm.detector.overview import PICTURE
from hdm.errors import DataError
from hdm.model_settings import Benign
from hdm.training.augmentation import light, pose

TRAINING, HELD_OUT = 256, 1024
"""At most so many pictures of each are looked at."""
USUAL = 0.1
"""Share of good pictures on either side that is beyond the usual range of a figure."""
LEAST = {"brightness": 0.05, "contrast": 0.25, "focus": 0.15, "clipped": 2.0, "distance": 0.4}
"""How far from the usual any limit is: a small defect on a line that never varies moves figures by
less. Of the unit of a figure, the tenth part."""
SMALLER, SHAPE = 4.0, 1.3
"""Times as small, and as wide or narrow, as any good picture of the line a picture may be."""
ONE_SIDED = ("clipped", "distance")
FOLDS = 4
BENIGN_SHARE = 0.9
"""Share of benign changes, most of them larger than a camera's, that stays decidable."""
ROUNDING = 1.002
"""A limit is often a picture's own figure, which another runtime rounds otherwise."""
TAIL = 0.2
"""Share of the parts, the oddest, by which limits are extrapolated."""


class GoodPictures(NamedTuple):
    """load: number of a picture -> it, native. groups: the part that each shows."""

    load: Callable[[int], np.ndarray]
    groups: Sequence[str]


class _Measured(NamedTuple):
    """Of n pictures: sizes (n, 2), figures (n, 5) of FIGURES behind the sizes, distance still 0;
    pooled (n, P); groups (n,)."""

    sizes: np.ndarray
    figures: np.ndarray
    pooled: Tensor
    groups: np.ndarray

    def some(self, which: slice) -> "_Measured":
        """Those of the pictures."""
        return _Measured(self.sizes[which], self.figures[which], self.pooled[which],
                         self.groups[which])


class _Tails(NamedTuple):
    """Where each figure's usual range ends, low and high (5,), and how far good pictures are beyond
    these ends on average, down and up (5,): the unit of that side. For tails differ: a line's
    brightness may never stray, and its focus often."""

    low: np.ndarray
    high: np.ndarray
    down: np.ndarray
    up: np.ndarray

    @classmethod
    def of(cls, figures: np.ndarray) -> "_Tails":
        least = np.array(list(LEAST.values())) / 10
        low, high = np.quantile(figures, [USUAL, 1 - USUAL], 0)
        down, up = (np.maximum(least, (beyond * (beyond > 0)).sum(0)
                               / np.maximum(1, (beyond > 0).sum(0)))
                    for beyond in (low - figures, figures - high))
        down[[FIGURES.index(name) - len(SIZES) for name in ONE_SIDED]] = np.inf
        return cls(low, high, down, up)


def fit_decidability(ddm: DDM, training: GoodPictures, held_out: GoodPictures, benign: Benign,
                     rate: float, *, seed: int) -> Decidability:
    """Limits that at most `rate` of good parts exceed; raises DataError without pictures.

    The limit is never below the conformal one: where the held-out parts can certify the rate, a new
    part exceeds it with a probability of at most `rate`, if parts are exchangeable (Vovk et al.
    2005). Nor is it below the exponential tail of the oddest fifth of all good parts, with a margin
    of two standard errors: all there is where they cannot, and no proof. Nor below what most benign
    changes lead to.
    """
    if not training.groups or not held_out.groups:
        raise DataError("expected good pictures to train on and held-out ones, found none; check "
                        "the line's splits.")
    generator = torch.Generator().manual_seed(seed)
    usual = _measure(ddm, training, TRAINING, benign, generator)
    held = _measure(ddm, held_out, HELD_OUT)
    likeness = fit_likeness(usual.pooled)
    usual.figures[:, -1] = _unseen(usual)
    held.figures[:, -1] = likeness.distance(held.pooled).numpy()
    tails = _Tails.of(usual.figures)
    held_parts = _oddest(held, tails)
    half = len(usual.groups) // 2
    trained = _oddest(usual.some(slice(None, half)), tails)
    changed = _oddest(usual.some(slice(half, None)), tails)
    rank, certified = conformal_rank(len(held_parts), rate)
    limit = ROUNDING * max(np.sort(held_parts)[rank - 1], np.quantile(changed, BENIGN_SHARE),
                           _tail(np.concatenate([held_parts, trained]), rate))
    sizes = np.concatenate([usual.sizes, held.sizes])
    return Decidability(_limits(sizes, np.median(usual.figures, 0), tails, float(limit), rate,
                                certified, len(held_parts)), likeness)


def fit_likeness(pooled: Tensor) -> Likeness:
    """From pooled places (n, P) of good pictures; their covariance is shrunk (Ledoit and Wolf
    2004), as n is often below P."""
    values = pooled.double()
    deviation = (values.var(0, correction=0) + 1e-6).sqrt()
    mean = values.mean(0)
    covariance, _ = ledoit_wolf(((values - mean) / deviation).numpy())
    whitening = torch.linalg.cholesky(torch.linalg.inv(
        torch.from_numpy(covariance) + 1e-6 * torch.eye(len(mean), dtype=torch.float64)))
    return Likeness(mean.float(), (whitening / deviation[:, None]).float().contiguous())


def _measure(ddm: DDM, pictures: GoodPictures, most: int, benign: Benign | None = None,
             generator: torch.Generator | None = None) -> _Measured:
    """Of the pictures, and behind them, if `benign` is given, of a changed copy of each."""
    numbers = evenly(len(pictures.groups), most)
    sizes, ends, views = [], [], []
    for number in numbers:
        image = pictures.load(number)
        prepared = ddm.form.prepare(image)[None]
        seen = [prepared]
        if benign is not None and generator is not None:
            none = torch.zeros(1, 1, *prepared.shape[-2:])
            seen += light([pose(prepared, none, benign, generator)[0]], benign, generator)
        views.append([ddm.overview(view) for view in seen])
        sizes.append(size_figures(image.shape[0], image.shape[1]))
        ends.append(clipped(image))
    copies = len(views[0])
    whole = torch.cat([torch.cat(view) for view in zip(*views, strict=True)])
    figures = np.concatenate([whole[:, :PICTURE].numpy(), np.tile(ends, copies)[:, None],
                              np.zeros((len(whole), 1))], 1)
    groups = np.array([pictures.groups[number] for number in numbers] * copies)
    return _Measured(np.tile(np.array(sizes), (copies, 1)), figures, whole[:, PICTURE:], groups)


def _unseen(usual: _Measured) -> np.ndarray:
    """Distances of the pictures of each fold of parts by what the others show, (n,)."""
    _, part = np.unique(usual.groups, return_inverse=True)
    found = np.zeros(len(part))
    for fold in range(FOLDS):
        inside = part % FOLDS == fold
        if inside.any():
            rest = usual.pooled[torch.from_numpy(~inside if not inside.all() else inside)]
            found[inside] = fit_likeness(rest).distance(
                usual.pooled[torch.from_numpy(inside)]).numpy()
    return found


def _oddest(measured: _Measured, tails: _Tails) -> np.ndarray:
    """How odd each part is, in units, (parts,)."""
    odd = np.maximum((measured.figures - tails.high) / tails.up,
                     (tails.low - measured.figures) / tails.down).max(1)
    names = np.unique(measured.groups)
    return np.array([odd[measured.groups == name].max() for name in names])


def _tail(odd: np.ndarray, rate: float) -> float:
    """What `rate` of parts exceeds by an exponential tail, two standard errors on the safe side."""
    start = float(np.quantile(odd, 1 - TAIL))
    beyond = odd[odd > start] - start
    if not len(beyond):
        return start
    mean = beyond.mean() * (1 + 2 / np.sqrt(len(beyond)))
    return start + float(mean) * max(0.0, float(np.log(TAIL / rate)))


def _limits(sizes: np.ndarray, centre: np.ndarray, tails: _Tails, limit: float, rate: float,
            certified: bool, parts: int) -> Limits:
    (side, aspect), least = np.median(sizes, 0), np.array(list(LEAST.values()))
    low = [sizes[:, 0].min() - np.log(SMALLER), sizes[:, 1].min() - np.log(SHAPE),
           *np.minimum(tails.low - limit * tails.down, centre - least)]
    high = [np.inf, sizes[:, 1].max() + np.log(SHAPE),
            *np.maximum(tails.high + limit * tails.up, centre + least)]
    low_or_none, high_or_none = (
        tuple(float(value) if np.isfinite(value) else None for value in values)
        for values in (low, high))
    return Limits((float(side), float(aspect), *map(float, centre)), low_or_none, high_or_none,
                  rate, certified, parts)
