"""Images as PNG without loss, 16-bit colour included, which Pillow does not write."""

import cv2
import numpy as np
from numpy.typing import NDArray


def png_bytes(image: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """(H, W) or (H, W, 3), uint8 or uint16, as a PNG file that decodes to the same pixels."""
    stored = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", stored)[1].tobytes()
