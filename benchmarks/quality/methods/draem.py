"""DRAEM (Zavrtanik et al. 2021), written anew from the paper and trained for HDM's time.

What differs from the paper: textures (see `perlin`); base widths 16 and 16 instead of 128 and 64,
which is 1/64 and 1/16 of the operations (at the paper's widths a budget of minutes is a few dozen
steps); turned images are mirrored at the border instead of filled with black; and the mean filter
keeps its share of the image's side (21 px of 256). The learning rate is the paper's or ten times
that, whichever is better on synthetic defects of calibration images after a short trial; the trials
come on top of the budget.
"""

from time import perf_counter

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.quality.flop import counted
from benchmarks.quality.methods.draem_loss import objective
from benchmarks.quality.methods.draem_networks import Draem
from benchmarks.quality.methods.method import Clock, Fitted, Score, Task, parameters
from benchmarks.quality.methods.perlin import Corruptions, synthetic_auroc
from hdm.diffusion.compute import Backend

RECONSTRUCTIVE_BASE = DISCRIMINATIVE_BASE = 16
LEARNING_RATES = (1e-4, 1e-3)
TRIAL_SHARE = 0.25
TUNED_ON = 48
BATCH, SCORED = 8, 16
CLEAN_SHARE, TURNED_SHARE = 0.5, 0.3
DECAYS = ((0.8, 0.2), (0.9, 0.2))
"""From these shares of the run on, the learning rate is multiplied by the second number."""
FILTER_SHARE = 21 / 256


def fit(task: Task) -> Fitted:
    """Choose the learning rate, then train for the budget."""
    assert task.seconds is not None
    clock, backend = Clock(), Backend(task.params.compute)
    steps, figures = 0, {}
    with clock.stage("textures"):
        corruptions = Corruptions(task.train, task.seed)
    with clock.stage("tuning"):
        for rate in LEARNING_RATES:
            network, done = train(task, corruptions, backend, rate, TRIAL_SHARE * task.seconds)
            figures[rate] = synthetic_auroc(scorer(network, backend), task.calibration[:TUNED_ON],
                                            corruptions, task.seed)
            steps += done
    best = max(figures, key=lambda rate: figures[rate])
    with clock.stage("training"):
        network, done = train(task, corruptions, backend, best,
                              task.seconds - clock.seconds["textures"])
    flop = counted(lambda: step(network, *draw(task.train, corruptions, torch.Generator()),
                                backend))[1] * (steps + done)
    notes: dict[str, float | int | str] = {f"synthetic_{r:g}": v for r, v in figures.items()}
    return Fitted(scorer(network, backend), flop, parameters(network), clock.seconds,
                  notes | {"learning_rate": best, "steps": done})


def train(task: Task, corruptions: Corruptions, backend: Backend, rate: float, seconds: float
          ) -> tuple[Draem, int]:
    """Train for `seconds`, at least one step; returns the last weights and the steps taken."""
    torch.manual_seed(task.seed)
    network = Draem(task.form.channels, RECONSTRUCTIVE_BASE, DISCRIMINATIVE_BASE)
    network = backend.place(network).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    generator = torch.Generator().manual_seed(task.seed)
    start, steps, passed = perf_counter(), 0, 0.0
    while not steps or passed < 1:
        for group in optimizer.param_groups:
            group["lr"] = rate * decay(passed)
        loss = step(network, *draw(task.train, corruptions, generator), backend)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        steps += 1
        passed = (perf_counter() - start) / max(seconds, 1e-9)
    if not torch.isfinite(loss):
        raise FloatingPointError(f"DRAEM's loss is {loss.item()} after {steps} steps at learning "
                                 f"rate {rate:g}, expected a finite number")
    return network.eval(), steps


def step(network: Draem, normal: Tensor, seen: Tensor, mask: Tensor, backend: Backend) -> Tensor:
    """Gradients of one batch; returns the loss."""
    normal, seen, mask = (part.to(backend.device) for part in (normal, seen, mask))
    with backend.autocast():
        restored, logits = network(seen.contiguous(memory_format=torch.channels_last))
    loss = objective(restored.float(), normal, logits.float(), mask)
    loss.backward()
    return loss.detach()


def decay(passed: float) -> float:
    """Factor of the learning rate after this share of the run."""
    factor = 1.0
    for share, multiplier in DECAYS:
        factor *= multiplier if passed >= share else 1.0
    return factor


def draw(normals: Tensor, corruptions: Corruptions, generator: torch.Generator
         ) -> tuple[Tensor, Tensor, Tensor]:
    """A batch of normal images and what is seen, both in [0, 1], and masks (N, 1, H, W)."""
    index = torch.randint(len(normals), (BATCH,), generator=generator)
    turned = torch.rand(BATCH, generator=generator) < TURNED_SHARE
    angle = torch.pi / 2 * (2 * torch.rand(BATCH, generator=generator) - 1) * turned
    normal = turn(normals[index], angle)
    seen, mask = corruptions.apply(normal, generator)
    clean = torch.rand(BATCH, 1, 1, 1, generator=generator) < CLEAN_SHARE
    return unit(normal), unit(torch.where(clean, normal, seen)), mask * ~clean


def turn(images: Tensor, angle: Tensor) -> Tensor:
    """(N, C, H, W), each turned about its middle by `angle` (N,) radians."""
    height, width = images.shape[-2:]
    cos, sin, nothing = angle.cos(), angle.sin(), torch.zeros_like(angle)
    matrix = torch.stack([cos, -sin * height / width, nothing,
                          sin * width / height, cos, nothing], dim=1).view(-1, 2, 3)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def unit(images: Tensor) -> Tensor:
    """From about [-1, 1] to [0, 1], what DRAEM and its SSIM expect."""
    return ((images + 1) / 2).clamp(0, 1)


def scorer(network: Draem, backend: Backend) -> Score:
    """Scores: the maximum of the mean-filtered defect probability; maps: the probability."""

    @torch.no_grad()
    def score(canvases: Tensor) -> tuple[Tensor, Tensor]:
        maps = []
        for part in canvases.split(SCORED):
            with backend.autocast():
                logits = network(unit(part).to(backend.device))[1]
            maps.append(torch.softmax(logits.float(), dim=1)[:, 1:].cpu())
        joined = torch.cat(maps)
        size = 2 * round(FILTER_SHARE * min(joined.shape[-2:]) / 2) + 1
        smooth = F.avg_pool2d(joined, size, 1, size // 2)
        return smooth.amax((1, 2, 3)), joined[:, 0]

    return score
