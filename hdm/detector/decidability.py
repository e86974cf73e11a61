"""Can a picture be judged at all? A detector knows good parts, not dead lamps and foreign parts.

Each figure of a picture has limits from the line's good pictures. A picture beyond one is
*undecidable*, which is never good. A defect moves some of these figures a little, so a picture that
the score calls a defect stays one unless a figure is `FAR` beyond what is usual; then nobody can
say what the score means.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor

from hdm.detector.overview import PICTURE
from hdm.errors import HDMError
from hdm.files import atomic_file

FIGURES = ("side", "aspect", "brightness", "contrast", "focus", "clipped", "distance")
"""Logarithms, but for brightness: shorter side in px, width / height, brightness in shares of
white, contrast, fine detail by coarse detail, share of pixels at the picture's own darkest or
brightest value, and distance of the whole picture from the line's training pictures."""
SIZES = FIGURES[:2]
FAR = 3.0
"""Times as far from what is usual as a limit is."""
LEAST_CLIPPED = 0.01
LEAST_DISTANCE = 1e-6
LIKENESS = "decidability.safetensors"


class Doubt(NamedTuple):
    """Why a picture is undecidable: a code, and a sentence with what was measured."""

    code: str
    sentence: str


@dataclass(frozen=True)
class Limits:
    """What good pictures of the line are like, one value a figure of `FIGURES`.

    centre: the usual. low, high: limits, None where there is none. rate: the share of good parts
    that they were set for, all figures together; certified: whether `parts` held-out parts are
    enough to certify it, or the limits are extrapolated.
    """

    centre: tuple[float, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    rate: float
    certified: bool
    parts: int

    @property
    def smallest_rate(self) -> float:
        """1 / (n + 1), the smallest rate that n held-out parts can certify."""
        return 1 / (self.parts + 1)

    def bounds(self, *, called: bool) -> tuple[list[float], list[float]]:
        """Lowest and highest value of each figure of a picture that is decidable, infinite where
        there is no limit. called: its score calls it a defect."""
        far = [FAR if called and name not in SIZES else 1.0 for name in FIGURES]
        low, high = ([math.copysign(math.inf, sign) if limit is None
                      else centre + times * (limit - centre)
                      for limit, centre, times in zip(limits, self.centre, far, strict=True)]
                     for sign, limits in ((-1, self.low), (1, self.high)))
        return low, high

    def doubts(self, figures: Sequence[float], *, called: bool) -> tuple[Doubt, ...]:
        """Why the picture is undecidable; () where it is not. called: its score calls it a
        defect."""
        found = []
        for number, (low, high) in enumerate(zip(*self.bounds(called=called), strict=True)):
            name, value = FIGURES[number], figures[number]
            if value < low or value > high:
                code, sentence = _WORDS[name, value > self.centre[number]]
                found.append(Doubt(code, sentence.format(
                    _SHOWN[name](value), _usual(name, self.low[number], self.high[number]))))
        return _telling(found)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Self:
        """The inverse of `as_dict`; raises KeyError, TypeError or ValueError if it is not."""
        lists = {name: tuple(content[name]) for name in ("centre", "low", "high")}
        if {len(values) for values in lists.values()} != {len(FIGURES)}:
            raise ValueError(f"expected limits of {len(FIGURES)} figures")
        return cls(**{**content, **lists})


@dataclass(frozen=True)
class Likeness:
    """mean (P,) and whitening (P, P) of pooled places of the line's training pictures."""

    mean: Tensor
    whitening: Tensor

    def distance(self, pooled: Tensor) -> Tensor:
        """Logarithm of the mean squared deviation of (N, P), (N,)."""
        white = (pooled - self.mean) @ self.whitening
        return (white.pow(2).mean(1) + LEAST_DISTANCE).log()


@dataclass(frozen=True)
class Decidability:
    """Limits, and what the distance is measured from."""

    limits: Limits
    likeness: Likeness

    def figures(self, image: np.ndarray, overview: Tensor, ignored: np.ndarray | None = None
                ) -> list[float]:
        """FIGURES of a native image (H, W) or (H, W, 3), of which `ignored` (H, W) is not
        inspected, and its overview (1, 3 + P)."""
        return [*size_figures(image.shape[0], image.shape[1]), *overview[0, :PICTURE].tolist(),
                clipped(image, ignored), self.likeness.distance(overview[:, PICTURE:]).item()]

    def save(self, folder: Path) -> None:
        """Write the likeness into an existing folder; the limits are in detector.json."""
        with atomic_file(folder / LIKENESS) as temporary:
            temporary.write_bytes(save({field.name: getattr(self.likeness, field.name).contiguous()
                                        for field in fields(self.likeness)}))

    @classmethod
    def load(cls, folder: Path, limits: dict[str, Any]) -> Self:
        """Read what `save` wrote; raises HDMError if it is missing or damaged, and as
        `Limits.from_dict`."""
        try:
            likeness = Likeness(**load_file(folder / LIKENESS))
        except Exception as error:
            raise HDMError(f"{folder / LIKENESS} cannot be read ({str(error).splitlines()[0]}); "
                           "restore it with `dvc checkout` or run ddm_train again.") from error
        return cls(Limits.from_dict(limits), likeness)


def size_figures(height: int, width: int) -> tuple[float, float]:
    """The first two of FIGURES."""
    return float(np.log(min(height, width))), float(np.log(width / height))


def clipped(image: np.ndarray, ignored: np.ndarray | None = None) -> float:
    """Logarithm of the share of inspected values at the image's own darkest or brightest; its own,
    as 12 bits in a 16-bit file end at 4095. ignored: (H, W) bool, None where all is inspected."""
    seen = image if ignored is None else image[~ignored]
    if not seen.size:
        return float(np.log(LEAST_CLIPPED))
    at_end = (seen == seen.min()) | (seen == seen.max())
    return float(np.log(at_end.mean() + LEAST_CLIPPED))


def clipped_share(images: Tensor, ignored: Tensor | None = None) -> Tensor:
    """`clipped` of images of one size, (N, H, W, C) of any real type, (N,)."""
    values, over = images.float(), (1, 2, 3)
    hidden = torch.zeros(1, dtype=torch.bool) if ignored is None else ignored[None, :, :, None]
    lowest = torch.where(hidden, torch.inf, values).amin(over, keepdim=True)
    highest = torch.where(hidden, -torch.inf, values).amax(over, keepdim=True)
    at_end = ((values == lowest) | (values == highest)) & ~hidden
    seen = (~hidden).expand(values.shape).float()
    share = at_end.float().sum(over) / seen.sum(over).clamp(min=1)
    return (share + LEAST_CLIPPED).log()


def _telling(doubts: list[Doubt]) -> tuple[Doubt, ...]:
    """Without those that follow from others: a blank picture is nothing but noise, one of few
    pixels has no figures, and whatever is wrong makes a picture look foreign."""
    said = {doubt.code for doubt in doubts}
    hidden = {"foreign"} if len(said) > 1 else set()
    hidden |= {"too_noisy"} if "no_contrast" in said else set()
    hidden |= said - {"too_small", "odd_shape"} if "too_small" in said else set()
    return tuple(doubt for doubt in doubts if doubt.code not in hidden)


_WORDS = {
    ("side", False): ("too_small", "The picture is too small: its shorter side has {} px, {} are "
                                   "usual on this line."),
    ("aspect", False): ("odd_shape", "The picture has another shape than the line's: width by "
                                     "height is {}, usual is {}."),
    ("aspect", True): ("odd_shape", "The picture has another shape than the line's: width by "
                                    "height is {}, usual is {}."),
    ("brightness", False): ("too_dark", "The picture is too dark: its mean is {} of white, usual "
                                        "on this line is {}."),
    ("brightness", True): ("too_bright", "The picture is too bright: its mean is {} of white, "
                                         "usual on this line is {}."),
    ("contrast", False): ("no_contrast", "The picture shows next to nothing: its contrast is {}, "
                                         "usual on this line is {}."),
    ("contrast", True): ("high_contrast", "The picture is too rich in contrast: {}, usual on this "
                                          "line is {}."),
    ("focus", False): ("out_of_focus", "The picture is out of focus: its fine detail is {} of the "
                                       "coarse, usual on this line is {}."),
    ("focus", True): ("too_noisy", "The picture is too noisy: its fine detail is {} of the coarse, "
                                   "usual on this line is {}."),
    ("clipped", True): ("clipped", "The picture is clipped: {} of it is at its darkest or "
                                   "brightest value, usual on this line is {}."),
    ("distance", True): ("foreign", "The picture as a whole is unlike the line's good ones: its "
                                    "distance is {}, usual is {}."),
}
"""(figure, above the usual) -> code and sentence. Every code is a word of the log and the API."""
CODES = tuple(dict.fromkeys(code for code, _ in _WORDS.values()))


def _factor(value: float) -> str:
    return f"{np.exp(min(value, 700.0)):.3g}"


def _share(value: float) -> str:
    return f"{100 * max(value, 0.0):.3g} %"


_SHOWN: dict[str, Callable[[float], str]] = {
    **dict.fromkeys(FIGURES, _factor), "brightness": _share,
    "clipped": lambda value: _share(float(np.exp(value)) - LEAST_CLIPPED)}


def _usual(name: str, low: float | None, high: float | None) -> str:
    shown = _SHOWN[name]
    if low is None or high is None:
        return f"at most {shown(high)}" if high is not None else f"at least {shown(low or 0.0)}"
    return f"{shown(low)} to {shown(high)}"
