"""The training loop: warm-up and cosine, averaged weights, resume that changes nothing.

Every random choice of a step follows from (seed, step), so a run that was killed and started
again ends bit-identical to one that was not (on CPU).
"""

import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from hdm.config import Training
from hdm.errors import TrainingError
from hdm.files import atomic_file

Loss = Callable[[int, torch.Generator], dict[str, Tensor]]
Report = Callable[[int, dict[str, float]], None]
WARM_UP = 0.05
REPORT_EVERY = 20


def step_generator(seed: int, step: int, device: torch.device | str = "cpu") -> torch.Generator:
    """The generator of one step; independent of all that was drawn before."""
    mixed = (seed * 1_000_003 + step * 7_919 + 12_345) % (2**63)
    return torch.Generator(device=device).manual_seed(mixed)


def train(model: nn.Module, loss: Loss, settings: Training, *, seed: int, checkpoint: Path,
          report: Report | None = None) -> nn.Module:
    """Train `model` in place and return its averaged (EMA) copy.

    Args:
        loss: (step, generator) -> named terms; "loss" is minimised, the others are reported.
        checkpoint: resume point; continued from if there, removed by the caller when done.
        report: called every 20 steps and at the end with the mean of each term.

    Raises TrainingError at a non-finite loss, before the weights change.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate,
                                  weight_decay=1e-4, fused=True)
    decay = 0.5 ** (1 / max(1.0, settings.ema_half_life * settings.steps))
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
    start = _resume(checkpoint, model, average, optimizer)
    model.train()
    saved, window = time.monotonic(), []
    for step in range(start, settings.steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, settings)
        terms = loss(step, step_generator(seed, step))
        if not torch.isfinite(terms["loss"]):
            raise TrainingError(f"step {step}: the loss is {terms['loss'].item()}, expected a "
                                "finite number; lower training.learning_rate or look for broken "
                                "images in the validation report.")
        optimizer.zero_grad(set_to_none=True)
        terms["loss"].backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(model)
        window.append({name: value.item() for name, value in terms.items()})
        if report and ((step + 1) % REPORT_EVERY == 0 or step + 1 == settings.steps):
            report(step + 1, {k: sum(w[k] for w in window) / len(window) for k in window[0]})
            window = []
        if time.monotonic() - saved > settings.checkpoint_seconds and step + 1 < settings.steps:
            _save(checkpoint, step + 1, model, average, optimizer)
            saved = time.monotonic()
    return average.module.eval()


def learning_rate(step: int, settings: Training) -> float:
    """Linear warm-up over 5 % of the run, then a cosine to a hundredth of the peak."""
    warm = max(1.0, WARM_UP * settings.steps)
    if step < warm:
        return settings.learning_rate * (step + 1) / warm
    progress = (step - warm) / max(1.0, settings.steps - warm)
    return settings.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


def _state(model: nn.Module, average: AveragedModel, optimizer: torch.optim.Optimizer
           ) -> dict[str, Tensor]:
    """Model, average and optimiser as one flat mapping of tensors (no pickle)."""
    state = {f"model.{k}": v for k, v in model.state_dict().items()}
    state |= {f"average.{k}": v for k, v in average.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        state |= {f"optimizer.{index}.{k}": v for k, v in moments.items()}
    return {k: v.contiguous().clone() for k, v in state.items()}


def _save(checkpoint: Path, step: int, model: nn.Module, average: AveragedModel,
          optimizer: torch.optim.Optimizer) -> None:
    with atomic_file(checkpoint) as temporary:
        save_file(_state(model, average, optimizer) | {"step": torch.tensor(step)}, temporary)


def _resume(checkpoint: Path, model: nn.Module, average: AveragedModel,
            optimizer: torch.optim.Optimizer) -> int:
    """Load the resume point if there is one; returns the step to go on from."""
    if not checkpoint.exists():
        return 0
    state = load_file(checkpoint)
    model.load_state_dict(_below(state, "model."))
    average.load_state_dict(_below(state, "average."))
    moments: dict[int, dict[str, Tensor]] = {}
    for key, value in _below(state, "optimizer.").items():
        index, name = key.split(".", 1)
        moments.setdefault(int(index), {})[name] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": moments, "param_groups": groups})
    return int(state["step"])


def _below(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
