"""The logistic function of many values, the same by any number of threads."""

import torch
from torch import Tensor

BLOCK = 2**14
"""Values that torch leaves to one thread."""


def sigmoid(values: Tensor) -> Tensor:
    """Of each value. Threads would cut many values in places that depend on their number, and what
    is left over at a cut is rounded otherwise."""
    if values.device.type != "cpu" or torch.compiler.is_compiling():  # an exported graph has one
        return torch.sigmoid(values)
    return torch.cat([part.sigmoid() for part in values.flatten().split(BLOCK)]).view(values.shape)
