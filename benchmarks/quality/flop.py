"""Floating-point operations, counted by torch's own formulas: a multiplication and an addition are
two.

Matrix products and convolutions are counted, forwards and backwards; what is done outside torch
(masks, textures, coreset distances) and element by element is not.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

Result = TypeVar("Result")


class Counter(TorchDispatchMode):
    """What torch's FlopCounterMode counts, without its book-keeping by module, which makes small
    networks three times slower."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0.0

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (),
                           kwargs: dict[str, Any] | None = None) -> Any:
        out = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func.overloadpacket)
        if formula is not None:
            self.total += formula(*args, **(kwargs or {}), out_val=out)
        return out


def counted(work: Callable[[], Result]) -> tuple[Result, float]:
    """What `work` returns, and its operations."""
    with Counter() as counter:
        result = work()
    return result, counter.total


def of_training(run: Callable[[int], object], steps: int) -> float:
    """Operations of `run(steps)`, from runs of one and three steps: a start and a cost a step.

    The run must train on one thread, its caller's: the counter sees no other.
    """
    one, three = counted(lambda: run(1))[1], counted(lambda: run(3))[1]
    step = (three - one) / 2
    return one - step + step * steps
