"""Evidence is joined on held-out parts, and a threshold set on others: does its rate hold?"""

from typing import Any

import numpy as np
import torch

from benchmarks.guarantees.simulated_parts import mean_row, row
from hdm.dataset.held_out import joining
from hdm.detector.conformal import conformal_threshold
from hdm.pom.discrimination.fusion_fit import fit_fusion

TITLE = "Joined evidence"
STATED, NEW, CANVAS = 0.05, 20, (16, 16)


def simulate(runs: int) -> list[dict[str, Any]]:
    """Rows of each number of held-out parts, judged whole or by tiles."""
    return [found for parts in (10, 27, 100) for tiled in (False, True)
            for found in _case(parts, runs, tiled=tiled)]


def _case(parts: int, runs: int, *, tiled: bool) -> list[dict[str, Any]]:
    generator = torch.Generator().manual_seed(parts)
    joins = joining([str(part) for part in range(parts)])
    apart, same, calibrating = [], [], int((~joins).sum())
    for _ in range(runs):
        maps = _maps(parts + NEW, generator)
        apart.append(_rate(maps, np.flatnonzero(joins), np.flatnonzero(~joins), parts, tiled))
        same.append(_rate(maps, np.arange(parts), np.arange(parts), parts, tiled))
    case = f"{parts} held-out parts, judged {'by tiles' if tiled else 'whole'}"
    return [row(case, "parts with a false alarm", max(STATED, 1 / (calibrating + 1)),
                mean_row(apart), runs),
            row(case, "before: all join, all calibrate", max(STATED, 1 / (parts + 1)),
                mean_row(same), runs, before=True)]


def _rate(maps: torch.Tensor, joins: np.ndarray, sets: np.ndarray, parts: int, tiled: bool
          ) -> float:
    fusion = fit_fusion(list(maps[joins].split(1)), CANVAS, tiled=tiled)
    scores = fusion.evidence(maps, CANVAS).scores.numpy()
    limit, _ = conformal_threshold(scores[sets], STATED)
    return float((scores[parts:] > limit).mean())


def _maps(count: int, generator: torch.Generator) -> torch.Tensor:
    """Three kinds of evidence of good parts, of differing sizes, the last with a long tail; each
    part has a level of its own, and now and then one is far from it."""
    level = torch.randn(count, 3, 1, 1, generator=generator)
    level = level / torch.rand(count, 3, 1, 1, generator=generator).clamp(min=0.05)**0.5
    grain = torch.randn(count, 3, *CANVAS, generator=generator)
    grain[:, 2] = grain[:, 2].exp()
    of_level, of_grain = (torch.tensor(sizes).view(3, 1, 1)
                          for sizes in ([0.3, 0.05, 3.0], [1.0, 0.1, 5.0]))
    return level * of_level + grain * of_grain
