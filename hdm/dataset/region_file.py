"""A line's region on disk: `regions/<line>.json`, and a mask beside it as a PNG; git tracks both.
"""

import hashlib
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hdm.dataset.drawn import looks_drawn
from hdm.dataset.images import read_image, read_mask
from hdm.dataset.line_region import LineRegion, combined, region_of
from hdm.errors import ConfigError, DataError
from hdm.files import atomic_file, parse_json, write_json

TRIAL = (512, 512)
"""Size at which a region without a mask is tried out."""


def read_region(file: Path) -> LineRegion | None:
    """What `write_region` wrote; None if there is no file. Raises ConfigError for another file."""
    if not file.exists():
        return None
    try:
        content = parse_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} is not readable JSON ({error}); restore it from git, or remove "
                          f"it with `hdm region {file.stem} --clear`.") from None
    return region_of(content, str(file))


def ignored_pixels(file: Path, region: LineRegion, height: int, width: int) -> NDArray[np.bool_]:
    """`combined` of a region that `read_region` read from `file`, with its mask.

    Raises ConfigError as that does, and if the mask is missing or not the one that was set.
    """
    mask = None
    if region.mask:
        place = file.parent / region.mask
        try:
            content = place.read_bytes()
        except OSError as error:
            raise ConfigError(f"{file} names the mask {region.mask}, which cannot be read "
                              f"({error.strerror}); restore it from git.") from None
        if _name(file, content) != region.mask:
            raise ConfigError(f"{place} is not the mask that was set; restore it from git, or set "
                              f"another with `hdm region {file.stem} --ignore`.")
        mask = read_mask(place)
    return combined(region, mask, height, width)


def write_region(file: Path, region: LineRegion, mask: NDArray[np.bool_] | None = None) -> None:
    """Check and write a region, with `mask` (H, W) beside it if one is given. Killed at any moment,
    the earlier region is there whole, or this one.

    Raises ConfigError as `ignored_pixels` does, HDMError if it cannot be written.
    """
    earlier = _mask_of(file)
    if mask is None:
        ignored_pixels(file, region, *TRIAL)
    else:
        combined(region, mask, *TRIAL)
        buffer = io.BytesIO()
        Image.fromarray(mask).save(buffer, format="PNG", optimize=True)
        region = region.model_copy(update={"mask": _name(file, buffer.getvalue())})
        # Before it is named, and beside the earlier one, which goes when it is named no more.
        with atomic_file(file.parent / region.mask) as temporary:
            temporary.write_bytes(buffer.getvalue())
    write_json(file, region.model_dump(mode="json", exclude_defaults=True))
    if earlier not in ("", region.mask):
        (file.parent / earlier).unlink(missing_ok=True)


def clear_region(file: Path) -> bool:
    """Remove the region, damaged or not; False if there is none."""
    earlier, there = _mask_of(file), file.exists()
    file.unlink(missing_ok=True)
    if earlier:
        (file.parent / earlier).unlink(missing_ok=True)
    return there


def digest(file: Path, region: LineRegion) -> str:
    """SHA-256 of what the region's files say."""
    files = [file, *([file.parent / region.mask] if region.mask else [])]
    parts = [hashlib.sha256(each.read_bytes()).hexdigest() for each in files]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def mask_from(picture: Path, *, inspected: bool) -> NDArray[np.bool_]:
    """A mask that somebody drew: white (H, W) where nothing is inspected, or with `inspected` where
    alone something is. Raises DataError if it cannot be read or is a photograph."""
    if looks_drawn(read_image(picture)) is False:
        raise DataError(f"{picture}: expected a mask in black and white, found a picture of many "
                        "tones; paint white what is meant, and black all else.")
    marked = read_mask(picture)
    return ~marked if inspected else marked


def _name(file: Path, content: bytes) -> str:
    """By its content, so that a mask is never overwritten by another."""
    return f"{file.stem}-{hashlib.sha256(content).hexdigest()[:8]}.png"


def _mask_of(file: Path) -> str:
    """The mask that the file names; "" if it names none or is damaged."""
    try:
        region = read_region(file)
    except ConfigError:
        return ""
    return region.mask if region else ""
