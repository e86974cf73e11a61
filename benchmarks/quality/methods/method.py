"""What a method is given, and what it gives back."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import torch
from torch import Tensor, nn

from hdm.dataset.input_format import InputFormat
from hdm.dataset.manifest import Manifest
from hdm.dataset.tensors import measure_format
from hdm.dataset.tiles import over_tiles
from hdm.files import read_json, write_json
from hdm.model_settings import Image
from hdm.settings import Params
from hdm.training.loop import Report

Score = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Images (N, C, H, W) -> image scores (N,) and anomaly maps (N, H, W), both on the CPU; higher is
more anomalous, and an image's answer does not depend on the others."""
Evidence = Callable[[Sequence[Tensor]], list[Tensor]]
"""Prepared images -> each one's evidence maps, (K, h, w)."""
Join = Callable[[Sequence[Tensor]], Score]
"""Evidence maps of held-out good images -> what joins maps (N, K, h, w) to scores and maps."""


@dataclass(frozen=True)
class Task:
    """Good images of one set, and what may be spent on them.

    train, calibration: (N, C, H, W) in about [-1, 1], as the discriminator sees them. views:
    number of one of `count` training images -> it in some poses as the encoder sees it. held:
    calibration images as they are prepared. seconds: budget of a trained baseline, what HDM used
    on the same images; None for HDM itself. scratch: a folder, empty or what an interrupted run of
    the same task has left.
    """

    train: Tensor
    calibration: Tensor
    form: InputFormat
    params: Params
    seed: int
    seconds: float | None
    scratch: Path
    views: Callable[[int], Tensor]
    count: int
    held: Sequence[Tensor]

    @contextmanager
    def resume_point(self, name: str, clock: "Clock | None"
                     ) -> Iterator[tuple[Path, Report | None]]:
        """Where a training keeps its state, and what keeps its time there, too.

        An interrupted run's is gone on with, and what it took is added to the clock's `name`;
        without a clock it is a point that no earlier run has written.
        """
        if clock is None:
            with TemporaryDirectory(dir=self.scratch) as folder:
                yield Path(folder) / "checkpoint.safetensors", None
            return
        file = self.scratch / f"{name}.json"
        earlier: float = read_json(file)["seconds"] if file.exists() else 0.0
        start = perf_counter()

        def keep(step: int, terms: dict[str, float]) -> None:
            write_json(file, {"step": step, "seconds": earlier + perf_counter() - start})

        yield self.scratch / f"{name}.safetensors", keep
        clock.seconds[name] = clock.seconds.get(name, 0.0) + earlier


@dataclass(frozen=True)
class Fitted:
    """score: the detector, of prepared images if `prepared`, else of what the discriminator sees;
    one that is larger than the canvas is then judged by tiles and has the score of its worst one.
    flop: of all training. parameters: trained numbers, of every network. seconds: training by
    stage. notes: choices made by the method on calibration normals. evidence: what HDM says of
    prepared images, kind by kind; joins: methods by name that join it in their ways, HDM itself
    among them."""

    score: Score | None
    flop: float = 0.0
    parameters: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    notes: dict[str, float | int | str] = field(default_factory=dict)
    prepared: bool = False
    evidence: Evidence | None = None
    joins: dict[str, Join] = field(default_factory=dict)


Fit = Callable[[Task], Fitted]


@dataclass(frozen=True)
class Method:
    """trained: it needs a budget in seconds. over: overrides of params.yaml. one_canvas: it is not
    made for images of differing sizes, so whole images are resized to one."""

    fit: Fit
    trained: bool = False
    over: dict[str, object] = field(default_factory=dict)
    one_canvas: bool = False

    def form_of(self, train: Manifest, image: Image) -> InputFormat:
        """How it sees the images of a set."""
        form = measure_format(train, image)
        if self.one_canvas and form.scale != 1:
            return measure_format(train, image.model_copy(update={"fit": "resize"}))
        return form


def whole(fitted: Fitted, form: InputFormat) -> Score:
    """A score of prepared images (N, C, H, W)."""
    judge = fitted.score
    assert judge is not None
    if fitted.prepared:
        return judge

    def score(images: Tensor) -> tuple[Tensor, Tensor]:
        seen = form.for_discriminator(images)
        if form.fit == "resize":
            return judge(seen)
        found = [_by_tiles(judge, form, image[None]) for image in seen]
        return torch.stack([score for score, _ in found]), torch.cat([maps for _, maps in found])

    return score


def _by_tiles(judge_tiles: Score, form: InputFormat, image: Tensor) -> tuple[Tensor, Tensor]:
    worst: list[Tensor] = []

    def judge(tiles: Tensor) -> Tensor:
        scores, maps = judge_tiles(tiles)
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
