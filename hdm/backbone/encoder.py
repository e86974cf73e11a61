"""The frozen encoder as it is run: OpenVINO's exact arithmetic on processors, torch elsewhere.

A frozen network needs no gradients, and a runtime that compiles it is several times as fast
(docs/experiments.md, "Diffusion on latents"); results differ by rounding alone.
"""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor
from torch.nn import functional as F

from hdm.backbone.lite0 import CHANNELS, Lite0
from hdm.backbone.openvino_graph import Run, compiled
from hdm.backbone.weights import LICENCE, published_weights
from hdm.errors import HDMError
from hdm.files import atomic_file

WEIGHTS = "backbone.safetensors"
AT_ONCE = 8
"""Images a call: more are no faster and take more memory."""


class Encoder:
    """From images to what the frozen network makes of them, stage by stage; and to raw features of
    latents, (N, 152, H/8, W/8): stage 3 beside stage 5 at twice its size."""

    channels = sum(CHANNELS[1:])

    def __init__(self, network: Lite0, device: torch.device) -> None:
        self.network = network.to(device).eval().requires_grad_(False)
        self.device = device
        self._compiled: Run | None = None

    @classmethod
    def published(cls, device: torch.device) -> "Encoder":
        """With the weights that the package ships; raises ConfigError as `published_weights`."""
        network = Lite0()
        network.load(published_weights())
        return cls(network, device)

    @torch.no_grad()
    def encode(self, images: Tensor) -> Tensor:
        """Raw features of (N, C, H, W), C 1 or 3, in about [-1, 1], sides multiples of 16; on the
        CPU."""
        return joined(*self.stages(images)[1:]).cpu()

    @torch.no_grad()
    def stages(self, images: Tensor) -> list[Tensor]:
        """Of images as `encode` takes them: the stages as `Lite0` gives them, on its device."""
        parts = [self._stages(part) for part in images.split(AT_ONCE)]
        return [torch.cat(stage) for stage in zip(*parts, strict=True)]

    def _stages(self, images: Tensor) -> tuple[Tensor, ...]:
        pixels = as_pixels(images.to(self.device))
        if self.device.type != "cpu":
            with torch.autocast(self.device.type, enabled=False):
                stages: tuple[Tensor, ...] = self.network(pixels.float())
            return stages
        run = self._compiled
        if run is None:
            run = self._compiled = compiled(self.network, torch.get_num_threads()) or self._eager
        return tuple(map(torch.from_numpy, run(pixels.numpy())))

    def _eager(self, pixels: np.ndarray) -> tuple[np.ndarray, ...]:
        """torch itself, where OpenVINO is missing."""
        return tuple(stage.numpy() for stage in self.network(torch.from_numpy(pixels)))

    def save(self, folder: Path) -> None:
        """Write the weights, with their licence, into an existing folder."""
        weights = {k: v.contiguous().cpu() for k, v in self.network.state_dict().items()}
        with atomic_file(folder / WEIGHTS) as temporary:
            temporary.write_bytes(save(weights, {"licence": LICENCE}))

    @classmethod
    def load(cls, folder: Path, device: torch.device) -> "Encoder":
        """Read what `save` wrote; raises HDMError if it is missing or damaged."""
        network = Lite0()
        try:
            network.load_state_dict(load_file(folder / WEIGHTS))
        except Exception as error:
            raise HDMError(f"{folder / WEIGHTS} cannot be read ({str(error).splitlines()[0]}); "
                           "restore it with `dvc checkout` or run dagm_fit again.") from error
        return cls(network, device)


def edge_repeated(maps: Tensor) -> Tensor:
    """Maps (N, K, h, w), sides 3 or more, whose outermost places repeat what the next ones say:
    what the encoder sees there is mostly its own padding, and odd on good images, too."""
    # Put together from slices, as ONNX has no such padding of sizes that it does not know.
    rows = torch.cat([maps[:, :, 1:2], maps[:, :, 1:-1], maps[:, :, -2:-1]], 2)
    return torch.cat([rows[..., 1:2], rows[..., 1:-1], rows[..., -2:-1]], 3)


def as_pixels(images: Tensor) -> Tensor:
    """The line's range as the encoder knows it: -1 ... 1 becomes 0 ... 255, grey three times."""
    pixels = (images + 1) * 127.5
    return pixels if images.shape[1] == 3 else pixels.repeat(1, 3, 1, 1)


def joined(fine: Tensor, coarse: Tensor) -> Tensor:
    """Both stages at the finer one's places."""
    size = fine.shape[-2:]
    return torch.cat([fine, F.interpolate(coarse, size=size, mode="bilinear",
                                          align_corners=False)], 1)
