"""What a method is given, and what it gives back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import torch
from torch import Tensor, nn

from hdm.dataset.input_format import InputFormat
from hdm.dataset.tiles import over_tiles
from hdm.settings import Params

Score = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Canvases (N, C, H, W) -> image scores (N,) and anomaly maps (N, H, W), both on the CPU; higher is
more anomalous, and an image's answer does not depend on the others."""


@dataclass(frozen=True)
class Task:
    """Good images of one set, and what may be spent on them.

    train, calibration: (N, C, H, W) in about [-1, 1]. seconds: budget of a trained baseline, what
    HDM used on the same images; None for HDM itself. scratch: an empty folder.
    """

    train: Tensor
    calibration: Tensor
    form: InputFormat
    params: Params
    seed: int
    seconds: float | None
    scratch: Path


@dataclass(frozen=True)
class Fitted:
    """score: the detector. flop: of all training. parameters: trained numbers, of every network.
    seconds: training by stage. notes: choices made by the method on calibration normals. any_size:
    score takes images of any size; otherwise one that is larger than the canvas is judged by tiles
    and has the score of its worst one. also: other methods by name that need no other training."""

    score: Score
    flop: float = 0.0
    parameters: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    notes: dict[str, float | int | str] = field(default_factory=dict)
    any_size: bool = False
    also: "dict[str, Fitted]" = field(default_factory=dict)


Fit = Callable[[Task], Fitted]


@dataclass(frozen=True)
class Method:
    """trained: it needs a budget in seconds. over: overrides of params.yaml. one_canvas: it is not
    made for images of differing sizes, so whole images are resized to one."""

    fit: Fit
    trained: bool = False
    over: dict[str, object] = field(default_factory=dict)
    one_canvas: bool = False


def whole(fitted: Fitted, form: InputFormat) -> Score:
    """A score of whole images (N, C, H, W), which may be larger than the canvas, by tiles."""
    def score(images: Tensor) -> tuple[Tensor, Tensor]:
        found = [_by_tiles(fitted, form, image[None]) for image in images]
        return torch.stack([score for score, _ in found]), torch.cat([maps for _, maps in found])

    return fitted.score if form.fit == "resize" or fitted.any_size else score


def _by_tiles(fitted: Fitted, form: InputFormat, image: Tensor) -> tuple[Tensor, Tensor]:
    worst: list[Tensor] = []

    def judge(tiles: Tensor) -> Tensor:
        scores, maps = fitted.score(tiles)
        worst.append(scores.max())
        return maps[:, None].float()

    joined = over_tiles(image, (form.height, form.width), judge)
    return worst[0], joined[:, 0]


class Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of the block to `name`."""
        start = perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + perf_counter() - start


def parameters(*networks: nn.Module) -> int:
    """Trained numbers of the networks."""
    return sum(p.numel() for network in networks for p in network.parameters())
