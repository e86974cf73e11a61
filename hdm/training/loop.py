"""The training loop: warm-up and cosine, averaged weights, resume that changes nothing.

Every random choice of a step follows from (seed, step), so a run that was killed and started
again ends bit-identical to one that was not (on CPU).
"""

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from hdm.errors import TrainingError
from hdm.files import below
from hdm.model_settings import Training
from hdm.training.muon import optimizers
from hdm.training.resume_point import load_point, save_point
from hdm.training.shards import Batch, Objective, Shards

Model = TypeVar("Model", bound=nn.Module)
Draw = Callable[[int, torch.Generator], Batch]
"""(step, generator) -> the step's batch, all of its chances from the generator."""
Report = Callable[[int, dict[str, float]], None]
WARM_UP = 0.05
REPORT_EVERY = 20


def step_generator(seed: int, step: int, device: torch.device | str = "cpu") -> torch.Generator:
    """The generator of one step; independent of all that was drawn before."""
    mixed = (seed * 1_000_003 + step * 7_919 + 12_345) % (2**63)
    return torch.Generator(device=device).manual_seed(mixed)


def train(model: Model, draw: Draw[Batch], objective: Objective[Batch], settings: Training, *,
          seed: int, checkpoint: Path, report: Report | None = None,
          make: Callable[[nn.Module, float], list[Optimizer]] = optimizers) -> Model:
    """Train `model` in place and return its averaged (EMA) copy.

    Args:
        draw: gives each step its batch; the next one is drawn while a step runs.
        objective: judges the model, or a copy of it, on a part of the batch.
        checkpoint: resume point; continued from if there and whole, removed by the caller when
            done.
        report: called every 20 steps and at the end with the mean of each term.
        make: the optimisers of a model at a learning rate.

    Raises TrainingError at a non-finite loss, before the weights change.
    """
    made = make(model, settings.learning_rate)
    decay = 0.5 ** (1 / max(1.0, settings.ema_half_life * settings.steps))
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay),
                            use_buffers=True)
    history: dict[str, list[float]] = {}
    start = _resume(checkpoint, model, average, made, history)
    for done in range(1, start + 1):
        _tell(report, history, done, settings.steps)
    model.train()
    saved = time.monotonic()
    with Shards(model) as shards, ThreadPoolExecutor(1, "draw") as ahead:
        following = ahead.submit(_draw, draw, seed, start)
        for step in range(start, settings.steps):
            batch = following.result()
            if step + 1 < settings.steps:
                following = ahead.submit(_draw, draw, seed, step + 1)
            terms = shards.backward(batch, objective)
            if not math.isfinite(terms["loss"]):
                raise TrainingError(f"step {step}: the loss is {terms['loss']}, expected a finite "
                                    "number; lower training.learning_rate or look for broken "
                                    "images in the validation report.")
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for optimizer in made:
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate(step, settings)
                optimizer.step()
            average.update_parameters(model)
            for name, value in terms.items():
                history.setdefault(name, []).append(value)
            _tell(report, history, step + 1, settings.steps)
            late = time.monotonic() - saved > settings.checkpoint_seconds
            # What is done is saved, too: others may have to be trained after it.
            if late or step + 1 == settings.steps:
                _save(checkpoint, step + 1, model, average, made, history)
                saved = time.monotonic()
    return cast(Model, average.module.eval())


def _draw(draw: Draw[Batch], seed: int, step: int) -> Batch:
    return draw(step, step_generator(seed, step))


def _tell(report: Report | None, history: dict[str, list[float]], done: int, steps: int) -> None:
    """Report the mean of each term since the last report, if one is due after `done` steps."""
    if report and (done % REPORT_EVERY == 0 or done == steps):
        first = (done - 1) // REPORT_EVERY * REPORT_EVERY
        terms = sorted(history.items())  # a resumed history has lost its order
        report(done, {k: sum(v[first:done]) / (done - first) for k, v in terms})


def learning_rate(step: int, settings: Training) -> float:
    """Linear warm-up over 5 % of the run, then a cosine to a hundredth of the peak."""
    warm = max(1.0, WARM_UP * settings.steps)
    if step < warm:
        return settings.learning_rate * (step + 1) / warm
    progress = (step - warm) / max(1.0, settings.steps - warm)
    return settings.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


def _state(model: nn.Module, average: AveragedModel, made: list[Optimizer]) -> dict[str, Tensor]:
    """Model, average and optimisers as one flat mapping of tensors (no pickle)."""
    state = {f"model.{k}": v for k, v in model.state_dict().items()}
    state |= {f"average.{k}": v for k, v in average.state_dict().items()}
    for number, optimizer in enumerate(made):
        for index, moments in optimizer.state_dict()["state"].items():
            state |= {f"optimizer.{number}.{index}.{k}": v for k, v in moments.items()}
    return {k: v.contiguous().clone() for k, v in state.items()}


def _save(checkpoint: Path, step: int, model: nn.Module, average: AveragedModel,
          made: list[Optimizer], history: dict[str, list[float]]) -> None:
    state = _state(model, average, made) | {"step": torch.tensor(step)}
    state |= {f"history.{k}": torch.tensor(v, dtype=torch.float64) for k, v in history.items()}
    save_point(checkpoint, state)


def _resume(checkpoint: Path, model: nn.Module, average: AveragedModel,
            made: list[Optimizer], history: dict[str, list[float]]) -> int:
    """Load the resume point if there is one; returns the step to go on from."""
    state = load_point(checkpoint)
    if state is None:
        return 0
    model.load_state_dict(below(state, "model."))
    average.load_state_dict(below(state, "average."))
    history |= {k: v.tolist() for k, v in below(state, "history.").items()}
    for number, optimizer in enumerate(made):
        _restore(optimizer, below(state, f"optimizer.{number}."))
    return int(state["step"])


def _restore(optimizer: Optimizer, state: dict[str, Tensor]) -> None:
    moments: dict[int, dict[str, Tensor]] = {}
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for key, value in state.items():
        index, name = key.split(".", 1)
        # The fused optimiser walks raw memory: moments must lie there as their parameter does.
        like = parameters[int(index)]
        moments.setdefault(int(index), {})[name] = \
            torch.empty_like(like).copy_(value) if value.shape == like.shape else value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": moments, "param_groups": groups})
