"""Muon (Jordan et al. 2024): steps along the orthogonalised momentum of each weight matrix.

Every direction of a convolution then moves alike, however small its gradient; these networks learn
in hundreds of steps what takes AdamW thousands (docs/experiments.md, "Muon: twice the speed").
torch.optim.Muon takes two-dimensional parameters only, and works in bfloat16, which is slow on a
CPU.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

MOMENTUM = 0.95
WEIGHT_DECAY = 0.01
SMALLEST_SIDE = 8
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5
ADAM_SIZE = 0.2


class Muon(Optimizer):
    """Muon for parameters of two or more dimensions, taken as matrices (rows, all the rest).

    A step's root mean square is 0.2 times the rate, as AdamW's is, so that both share one
    schedule (Liu et al. 2025).
    """

    def __init__(self, parameters: Iterable[Tensor], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step against the gradients; parameters without one stay."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    _step(parameter, self.state[parameter], group["lr"])


def optimizers(model: nn.Module, lr: float) -> list[Optimizer]:
    """Muon for the model's larger matrices and kernels, AdamW for what remains."""
    matrices = [p for p in model.parameters() if _is_matrix(p)]
    rest = [p for p in model.parameters() if not _is_matrix(p)]
    made: list[Optimizer] = [Muon(matrices, lr)] if matrices else []
    if rest:
        made.append(torch.optim.AdamW(rest, lr=lr, weight_decay=1e-4, fused=True))
    return made


def orthogonalise(matrix: Tensor) -> Tensor:
    """A matrix with the same singular vectors and singular values of about 1 (0.7 to 1.2).

    Five Newton-Schulz iterations of the quintic polynomial with Jordan's coefficients.
    """
    a, b, c = NEWTON_SCHULZ
    wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix if wide else matrix.T
    x = x / (x.norm() + 1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x if wide else x.T


def _step(parameter: Tensor, state: dict[str, Any], lr: float) -> None:
    if not state:
        state["momentum"] = torch.zeros_like(parameter)
    momentum, gradient = state["momentum"], parameter.grad
    assert gradient is not None
    momentum.lerp_(gradient, 1 - MOMENTUM)
    ahead = gradient.lerp(momentum, MOMENTUM)  # Nesterov
    update = orthogonalise(ahead.reshape(len(parameter), -1))
    size = ADAM_SIZE * max(update.shape) ** 0.5
    parameter.mul_(1 - lr * WEIGHT_DECAY).add_(update.reshape(parameter.shape), alpha=-lr * size)


def _is_matrix(parameter: Tensor) -> bool:
    return parameter.ndim >= 2 and min(len(parameter), parameter[0].numel()) >= SMALLEST_SIDE
