"""What a method is given, and what it gives back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from torch import Tensor, nn

from hdm.config import Params
from hdm.dataset.tensors import InputFormat

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
    seconds: training by stage. notes: choices made by the method on calibration normals."""

    score: Score
    flop: float = 0.0
    parameters: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    notes: dict[str, float | int | str] = field(default_factory=dict)


Fit = Callable[[Task], Fitted]


@dataclass(frozen=True)
class Method:
    """trained: it needs a budget in seconds. over: overrides of params.yaml."""

    fit: Fit
    trained: bool = False
    over: dict[str, object] = field(default_factory=dict)


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
