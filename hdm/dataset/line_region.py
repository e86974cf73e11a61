"""What of a line's pictures is inspected: outlines with corners as fractions of width and height,
so that they survive a change of resolution, and a mask."""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from hdm.dataset.outline_geometry import cleaned, fault, inside, widened
from hdm.errors import ConfigError
from hdm.model_settings import Section

Side = Annotated[float, Field(ge=0, le=1)]
LEAST_INSPECTED = 0.01
"""Share of a picture that must be left to inspect."""


class Outline(Section):
    """A polygon. corners: (x, y), fractions of width and height."""

    name: str = Field("", max_length=60)
    corners: tuple[tuple[Side, Side], ...] = Field(min_length=3, max_length=1000)


class LineRegion(Section):
    """inspect: if there are any, all outside them is ignored. ignore: ignored in any case. mask:
    name of a PNG beside the region's file, white where it is ignored, too; "" without one."""

    ignore: tuple[Outline, ...] = Field((), max_length=100)
    inspect: tuple[Outline, ...] = Field((), max_length=100)
    mask: str = Field("", pattern=r"^([a-z0-9][a-z0-9_-]*-[0-9a-f]{8}\.png)?$")


def region_of(content: Any, where: str) -> LineRegion:
    """Check plain values; raises ConfigError with one sentence that begins with `where`."""
    try:
        region = LineRegion.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{where}: {_sentence(error.errors()[0])}") from None
    checked = {}
    for kind in ("ignore", "inspect"):
        outlines = []
        for number, outline in enumerate(getattr(region, kind), 1):
            corners = cleaned(outline.corners)
            if problem := fault(corners):
                named = f"{kind} outline {number}" + (f" ({outline.name})" if outline.name else "")
                raise ConfigError(f"{where}: {named} {problem}; draw it again.")
            outlines.append({"name": outline.name, "corners": corners})
        checked[kind] = outlines
    return LineRegion.model_validate({**checked, "mask": region.mask})


def combined(region: LineRegion, mask: NDArray[np.bool_] | None, height: int, width: int
             ) -> NDArray[np.bool_]:
    """(H, W) bool, true where nothing is inspected: of the size asked for, or of the mask's own,
    if there is one. Every pixel that an outline touches is ignored.

    Raises ConfigError if nothing or next to everything is ignored.
    """
    if mask is not None:
        height, width = mask.shape
    hidden = inside([outline.corners for outline in region.ignore], height, width)
    if region.inspect:
        hidden |= ~inside([outline.corners for outline in region.inspect], height, width)
    found = widened(hidden) if mask is None else widened(hidden) | mask
    left = 1 - float(found.mean())
    if left < LEAST_INSPECTED:
        raise ConfigError(f"expected at least {LEAST_INSPECTED:.0%} of a picture to be left to "
                          f"inspect, found {left:.1%} left by this region; ignore less.")
    if left == 1:
        raise ConfigError("expected a region that ignores something, found one that ignores "
                          "nothing; to inspect whole pictures, clear the region.")
    return found


def _sentence(error: Any) -> str:
    """One readable sentence for the first thing pydantic objects to."""
    path = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        model = Outline if len(error["loc"]) > 1 else LineRegion
        return f"unknown key {path!r}; valid keys: {', '.join(model.model_fields)}."
    if error["type"] in ("less_than_equal", "greater_than_equal"):
        return (f"{path}: expected corners as fractions of width and height between 0 and 1, "
                f"received {error['input']}; divide pixels by the picture's sides.")
    if path == "mask":
        return (f"mask: expected the name of a PNG as `hdm region --ignore` writes it, received "
                f"{str(error['input'])[:80]!r}.")
    return (f"{path + ': ' if path else ''}{error['msg'][:1].lower() + error['msg'][1:]} (received "
            f"{str(error['input'])[:80]}).")
