"""Hostile pictures, made from a line's own good ones and from other lines' good ones.

Each kind says what a person expects of it. `stopped`: nobody would call it good. `oriented`: nobody
would where every part lies the same way. `darker`, `brighter`: nobody would where it is darker or
brighter than every good picture of the line. `any`: a good part may look like that.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from hdm.dataset.images import to_float

Expected = Literal["stopped", "oriented", "darker", "brighter", "any"]
Pixels = np.ndarray
BLUR = {"blur_0.3": 0.003, "blur_0.6": 0.006, "blur_1.5": 0.015, "blur_3": 0.03, "blur_6": 0.06}
"""Deviations of the blur, as shares of the shorter side."""
EXPOSURE = {"exposure_1_8": 1 / 8, "exposure_1_4": 1 / 4, "exposure_1_2": 1 / 2, "exposure_2": 2.0,
            "exposure_4": 4.0}
SEED = 20_261_127


class Hostile(NamedTuple):
    """One picture of a kind."""

    kind: str
    expected: Expected
    image: Pixels


def hostile(good: Pixels, others: Sequence[Pixels]) -> list[Hostile]:
    """All kinds, from a good picture (H, W) or (H, W, 3) and good pictures of other lines."""
    random = np.random.default_rng(SEED)
    values = to_float(good)
    height, width = good.shape[:2]

    def back(changed: Pixels) -> Pixels:
        top = np.iinfo(good.dtype).max
        return np.rint(np.clip(changed, 0, 1) * top).astype(good.dtype)

    def flat(level: float, size: tuple[int, int] = (height, width)) -> Pixels:
        return back(np.full((*size, *good.shape[2:]), level))

    noise = random.standard_normal(values.shape)
    found = [
        Hostile("black", "stopped", flat(0)), Hostile("white", "stopped", flat(1)),
        Hostile("grey", "stopped", flat(0.5)),
        Hostile("mean_grey", "stopped", flat(float(values.mean()))),
        Hostile("dark_frame", "stopped", back(np.abs(noise) * 0.01)),
        Hostile("pure_noise", "stopped", back(random.random(values.shape))),
        Hostile("noise_3", "any", back(values + 0.03 * noise)),
        Hostile("noise_25", "stopped", back(values + 0.25 * noise)),
        Hostile("one_pixel", "stopped", good[:1, :1]),
        Hostile("long_strip", "stopped", flat(float(values.mean()), (10, 10_000))),
        Hostile("tall_strip", "stopped", _resized(good, 10_000, 10)),
        Hostile("inverted", "stopped", back(1 - values)),
        Hostile("saturated", "stopped", back((values - values.mean()) * 12 + 0.5)),
        Hostile("faint", "stopped", back(values.mean() + 0.04 * (values - values.mean()))),
        Hostile("ramp", "stopped", _drawn(good, np.linspace(0, 1, width)[None].repeat(height, 0))),
        Hostile("checkers", "stopped", _drawn(good, _checkers(height, width))),
        Hostile("covered_black", "stopped", _covered(good, flat(0))),
        Hostile("covered_grey", "stopped", _covered(good, flat(0.5))),
        Hostile("covered_blur", "stopped", _covered(good, back(_blurred(values, 0.1)))),
        Hostile("mosaic", "stopped", _mosaic(good, random)),
        Hostile("pixelated", "stopped", _pixelated(good)),
        Hostile("streaked", "stopped", back(ndimage.uniform_filter1d(values, width // 6, axis=1))),
        Hostile("torn", "stopped", _torn(good)),
        Hostile("mirrored", "any", good[:, ::-1]), Hostile("upside_down", "any", good[::-1]),
        Hostile("turned_90", "oriented", np.rot90(good)),
        Hostile("turned_180", "any", np.rot90(good, 2)),
        Hostile("turned_270", "oriented", np.rot90(good, 3)),
        Hostile("cropped_half", "any", _cropped(good, 0.5)),
        Hostile("cropped_tenth", "stopped", _cropped(good, 0.1)),
    ]
    found += [Hostile(kind, "any" if share < 0.01 else "stopped", back(_blurred(values, share)))
              for kind, share in BLUR.items()]
    found += [Hostile(kind, "darker" if gain < 1 else "brighter", back(values * gain))
              for kind, gain in EXPOSURE.items()]
    found += [Hostile(f"other_part_{number}", "stopped", other)
              for number, other in enumerate(others, start=1)]
    return [one._replace(image=np.ascontiguousarray(one.image)) for one in found]


def expects_stop(one: Hostile, goods: Sequence[Pixels], *, oriented: bool) -> bool:
    """Whether nobody would call it good, on a line with these good pictures."""
    if one.expected == "oriented":
        return oriented
    means = [float(to_float(good).mean()) for good in goods]
    own = float(to_float(one.image).mean())
    checks: dict[str, Callable[[], bool]] = {
        "stopped": lambda: True, "any": lambda: False,
        "darker": lambda: own < min(means), "brighter": lambda: own > max(means)}
    return checks[one.expected]()


def _blurred(values: Pixels, share: float) -> Pixels:
    sides = share * min(values.shape[:2])
    return ndimage.gaussian_filter(values, (sides, sides, 0)[:values.ndim], mode="nearest")


def _resized(image: Pixels, height: int, width: int) -> Pixels:
    return np.asarray(Image.fromarray(image).resize((width, height)))


def _drawn(like: Pixels, values: Pixels) -> Pixels:
    grey = np.rint(values * np.iinfo(like.dtype).max).astype(like.dtype)
    return grey if like.ndim == 2 else np.repeat(grey[..., None], like.shape[2], 2)


def _checkers(height: int, width: int) -> Pixels:
    side = max(1, min(height, width) // 8)
    return ((np.arange(height)[:, None] // side + np.arange(width) // side) % 2).astype(float)


def _covered(image: Pixels, cover: Pixels) -> Pixels:
    """Somewhat more than half of it."""
    out = image.copy()
    out[:, :image.shape[1] * 11 // 20] = cover[:, :image.shape[1] * 11 // 20]
    return out


def _mosaic(image: Pixels, random: np.random.Generator) -> Pixels:
    """An eighth's blocks in another order, as a frame grabber out of step leaves them."""
    high, wide = image.shape[0] // 8, image.shape[1] // 8
    blocks = [image[r * high:(r + 1) * high, c * wide:(c + 1) * wide]
              for r in range(8) for c in range(8)]
    order = random.permutation(64)
    return np.concatenate([np.concatenate([blocks[order[8 * r + c]] for c in range(8)], 1)
                           for r in range(8)])


def _pixelated(image: Pixels) -> Pixels:
    height, width = image.shape[:2]
    small = Image.fromarray(image).resize((12, 12), Image.Resampling.BOX)
    return np.asarray(small.resize((width, height), Image.Resampling.NEAREST))


def _torn(image: Pixels) -> Pixels:
    """One row repeated to the end: a transfer that stopped."""
    out = image.copy()
    row = image.shape[0] * 2 // 5
    out[row:] = image[row]
    return out


def _cropped(image: Pixels, share: float) -> Pixels:
    """The middle of it, enlarged to the size of the whole."""
    height, width = image.shape[:2]
    high, wide = max(1, round(height * share)), max(1, round(width * share))
    top, left = (height - high) // 2, (width - wide) // 2
    return _resized(image[top:top + high, left:left + wide], height, width)
