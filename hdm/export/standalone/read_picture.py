"""A picture file as pixels, read as hdm reads it, or refused.

.npy needs NumPy alone; PNG, JPEG, BMP and plain TIFF need Pillow, 16-bit colour PNG OpenCV, too.
Other kinds are refused rather than read in another way than the model was trained with.
"""

from pathlib import Path
from typing import Any

import numpy as np
from standalone_model import Refused

FORMATS = ("PNG", "JPEG", "BMP", "TIFF")


def read_picture(file: Path) -> np.ndarray:
    """(H, W) or (H, W, 3), uint8 or uint16. Raises Refused."""
    try:
        if file.suffix.lower() == ".npy":
            return np.asarray(np.load(file, allow_pickle=False))
        from PIL import Image

        with Image.open(file, formats=FORMATS) as image:
            return _pixels(image, file)
    except ImportError as error:
        raise Refused(f"{error.name} is not installed, without which this kind of file is not "
                      "read; say `python -m pip install -r requirements.txt`, or save the pixels "
                      "as .npy") from None
    except Refused:
        raise
    except Exception as error:  # a decoder of damaged bytes may raise anything
        raise Refused(f"expected a PNG, JPEG, BMP, TIFF or .npy, found none that can be read "
                      f"({str(error)[:120] or type(error).__name__})") from None


def _pixels(image: Any, file: Path) -> np.ndarray:
    _plain(image)
    tile = image.tile[0].args if image.tile else ""
    raw = str(tile[0] if isinstance(tile, tuple) else tile)
    image.load()  # refuses damage that OpenCV overlooks, and turns TIFF by itself
    turned = image.getexif().get(274, 1)
    if image.format == "PNG" and image.mode == "RGB" and raw.endswith(";16B"):
        import cv2

        data = np.frombuffer(file.read_bytes(), np.uint8)
        pixels = np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED))[..., ::-1]
    elif image.mode.startswith("I;16"):
        pixels = np.asarray(image).astype(np.uint16)
    elif image.mode in ("RGBA", "LA") and not raw.endswith(";16B"):
        pixels = _on_black(np.asarray(image))
    else:
        pixels = np.asarray(image.convert({"1": "L", "P": "RGB"}.get(image.mode, image.mode)))
    if turned in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if turned in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if turned in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _plain(image: Any) -> None:
    """Raises Refused for what hdm would read in a way of its own."""
    tags = getattr(image, "tag_v2", {})
    bits = {16 if image.mode.startswith("I") else 8}
    odd = image.mode not in ("1", "L", "P", "RGB", "RGBA", "LA", "I;16", "I;16B", "I;16L") \
        or (image.mode == "P" and "transparency" in image.info)
    if odd or (image.format == "TIFF" and (
            image.mode in ("P", "1", "RGBA", "LA") or tags.get(262) not in (1, 2)
            or set(tags.get(258, (1,))) != bits or 330 in tags)):
        raise Refused(f"a {image.format} of the kind {image.mode} is not read here; save it as PNG "
                      "of 8 or 16 bit grey, or 8 bit RGB")
    if image.format != "JPEG" and getattr(image, "n_frames", 1) > 1:
        raise Refused("it holds several pictures; save each as a file of its own")


def _on_black(pixels: np.ndarray) -> np.ndarray:
    """Alpha, the last channel, laid on black; where it is 0 everywhere it was not used."""
    colour, alpha = pixels[..., :-1].astype(np.uint32), pixels[..., -1:].astype(np.uint32)
    laid = ((colour * alpha + 127) // 255).astype(np.uint8) if alpha.any() else pixels[..., :-1]
    return laid[..., 0] if laid.shape[2] == 1 else laid
