"""Device, precision and threads, decided in one place."""

import os
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar, cast

import torch
from threadpoolctl import threadpool_limits
from torch import nn

from hdm.errors import ConfigError
from hdm.model_settings import Compute

Module = TypeVar("Module", bound=nn.Module)


class Backend:
    """Where arithmetic runs. `Backend(Compute())` also sets the process's thread counts.

    Raises ConfigError if CUDA is asked for and absent.
    """

    def __init__(self, settings: Compute) -> None:
        available = torch.cuda.is_available()
        if settings.device == "cuda" and not available:
            raise ConfigError("compute.device is 'cuda', but torch sees no CUDA device; set it to "
                              "'auto' or 'cpu', or install a CUDA build of torch.")
        use_cuda = available and settings.device != "cpu"
        self.device = torch.device("cuda" if use_cuda else "cpu")
        self.bf16 = settings.precision == "bf16" or (settings.precision == "auto" and use_cuda)
        # Answers stay exact on processors, so that they are the same on each, and discriminators
        # learn less in bfloat16 (docs/experiments.md, "Speed"); the latent prior learns as well.
        self.bf16_training = self.bf16 or (settings.precision == "auto" and not use_cuda
                                           and bool(torch.cpu.get_capabilities().get("amx_bf16")))
        torch.set_num_threads(settings.threads)
        # numpy's products are tiny here, and its idle threads would spin on the networks' cores.
        threadpool_limits(1, user_api="blas")
        if use_cuda:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        else:
            # As `use_deterministic_algorithms(True)` without its import of the compiler, which
            # takes 1.8 s of processor time and is not used.
            torch.set_deterministic_debug_mode("error")
            # Nothing here reads memory that was not written; filling it costs a tenth of a step.
            torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]

    def place(self, network: Module) -> Module:
        """The network on the device, its weights in the layout that convolutions are fastest in."""
        layout = {"memory_format": torch.channels_last}
        return cast(Module, network.to(self.device).to(**layout))  # type: ignore[call-overload]

    def autocast(self) -> AbstractContextManager[object]:
        """Context for the forward passes."""
        if self.bf16:
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()

    def training_autocast(self) -> AbstractContextManager[object]:
        """Context for training what bfloat16 serves as well: where the processor has matrix units
        for it, a step is up to three times as fast."""
        if self.bf16_training:
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()
