"""The gradient of a batch, worked out in parts that run side by side.

A second CPU core gains 7 % when it helps inside each operation of these small networks, and 40 %
when it has a part of the batch to itself (docs/experiments.md, "Speed").
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from types import TracebackType
from typing import Self, TypeVar

import torch
from torch import Tensor, nn

Batch = TypeVar("Batch", bound=tuple[Tensor, ...])
"""Tensors whose first dimension counts the examples; a named tuple says what they are."""
Objective = Callable[[nn.Module, Batch], dict[str, Tensor]]
"""(model, batch) -> named terms; "loss" is minimised, the others are reported."""

CPU_PARTS = 2


class Shards:
    """A model and its copies: one set of weights, each copy with gradients and statistics of its
    own.

    The number of parts follows from the device alone, so that the number of threads never decides
    a result. A context: while it is open, the threads are shared out between the parts.
    """

    def __init__(self, model: nn.Module) -> None:
        self.device = next(model.parameters()).device
        parts = CPU_PARTS if self.device.type == "cpu" else 1
        self.copies = [model, *(_sharing_weights(model) for _ in range(parts - 1))]
        self._threads = torch.get_num_threads()
        workers = min(self._threads, parts)
        self._each = max(1, self._threads // workers)
        # A single worker is the caller's own thread: what watches that one sees all operations.
        self._pool = ThreadPoolExecutor(workers, "shard", torch.set_num_threads, (self._each,)) \
            if workers > 1 else None

    def __enter__(self) -> Self:
        torch.set_num_threads(self._each)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self._pool:
            self._pool.shutdown()
        torch.set_num_threads(self._threads)

    def backward(self, batch: Batch, objective: Objective[Batch]) -> dict[str, float]:
        """Leave the batch's gradient in the model; returns each term's mean over the batch.

        Every n-th example goes to one of n parts, so that a batch sorted by kind gives mixed parts.
        """
        size = len(batch[0])
        used = self.copies[:min(size, len(self.copies))]
        shares = [len(range(i, size, len(used))) / size for i in range(len(used))]

        def work(index: int) -> dict[str, float]:
            part = [tensor[index::len(used)].to(self.device) for tensor in batch]
            used[index].zero_grad(set_to_none=True)
            terms = objective(used[index], _like(batch, part))
            (terms["loss"] * shares[index]).backward()
            return {name: value.item() for name, value in terms.items()}

        spread = self._pool.map if self._pool else map
        terms = list(spread(work, range(len(used))))
        _add_gradients(used)
        _average_statistics(used, shares, self.copies)
        return {name: sum(share * part[name] for share, part in zip(shares, terms, strict=True))
                for name in terms[0]}


def _like(batch: Batch, tensors: list[Tensor]) -> Batch:
    named = getattr(type(batch), "_make", type(batch))
    return named(tensors)  # type: ignore[no-any-return]


def _sharing_weights(model: nn.Module) -> nn.Module:
    copy = deepcopy(model)
    for own, shared in zip(copy.parameters(), model.parameters(), strict=True):
        own.data = shared.data
    return copy


def _add_gradients(copies: list[nn.Module]) -> None:
    """Sum the copies' gradients in the first one, always in the same order."""
    for parameters in zip(*(copy.parameters() for copy in copies), strict=True):
        for other in parameters[1:]:
            if other.grad is not None:
                parameters[0].grad += other.grad


def _average_statistics(used: list[nn.Module], shares: list[float], copies: list[nn.Module]
                        ) -> None:
    """Give all copies the mean of the used ones' running statistics (batch normalisation)."""
    targets = [list(copy.buffers()) for copy in copies]
    for place, buffers in enumerate(zip(*(copy.buffers() for copy in used), strict=True)):
        if buffers[0].is_floating_point():
            mean = sum(share * b for share, b in zip(shares, buffers, strict=True))
        else:  # a counter
            mean = buffers[0].clone()
        for buffer in targets:
            buffer[place].copy_(mean)
