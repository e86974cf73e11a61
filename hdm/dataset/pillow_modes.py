"""What Pillow has loaded, as pixels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hdm.dataset.alpha import on_black
from hdm.dataset.not_read import NotRead

_NAMES = {"I": "32-bit integers", "F": "32-bit floating point", "LAB": "LAB colour"}


def native(image: Image.Image) -> NDArray[Any]:
    """A loaded image of any supported mode as (H, W) or (H, W, 3), uint8 or uint16.

    Raises NotRead for other modes, naming what they are.
    """
    mode = image.mode
    if mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)
    if mode in ("1", "L"):
        return np.asarray(image.convert("L"))
    if mode in ("RGB", "YCbCr", "RGBX", "CMYK"):
        return np.asarray(image.convert("RGB"))
    if mode in ("P", "PA"):
        clear = mode == "PA" or "transparency" in image.info
        return native(image.convert("RGBA" if clear else "RGB"))
    if mode in ("La", "RGBa"):  # already multiplied by alpha, which is what black leaves
        return np.asarray(image)[..., 0] if mode == "La" else np.asarray(image)[..., :3]
    if mode in ("LA", "RGBA"):
        return on_black(np.asarray(image))
    raise NotRead(f"{_NAMES.get(mode, f'the pixel format {mode!r}')} (8 and 16 bit grey or RGB are "
                  "read)")
