"""LabelMe: a JSON file of shapes for each image."""

import base64
import math
import ntpath
import os
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from hdm.dataset import outside
from hdm.dataset.images import UnreadableImage, decode_image
from hdm.dataset.manifest import GOOD
from hdm.dataset.problems import listing
from hdm.errors import DataError
from hdm.ingest.outlines import Polygon, Region, RunLength
from hdm.ingest.readers.annotated import Annotated, Mark, image_size, to_records
from hdm.ingest.readers.image_record import Reading, list_images, walk
from hdm.ingest.readers.label_words import told_by_path
from hdm.ingest.readers.locating import locate
from hdm.ingest.readers.split_words import split_of_name
from hdm.pipelines import Source

LAYOUT = "images with LabelMe JSON files (shapes and imagePath); those without one in good/"

_CORNERS = 128  # of the polygon that stands for a circle


class _Shape(BaseModel):
    model_config = ConfigDict(allow_inf_nan=False)

    label: str
    points: list[tuple[float, float]] = []
    shape_type: str | None = "polygon"
    mask: str | None = None


class _Labelled(BaseModel):
    shapes: list[_Shape]
    imagePath: str = ""
    imageWidth: int | None = None
    imageHeight: int | None = None
    flags: dict[str, bool] | None = None


def fits(source: Path) -> str:
    """Whether `source` is a folder with a LabelMe file, anywhere in it."""
    found = next((file for file in _json_files(source) if _is_labelme(file)), None)
    return str(found.relative_to(source)) if found else ""


def read(source: Path, settings: Source | None = None) -> Reading:
    """All images: with their shapes, or good by their folder's name.

    See annotated.py for which are good. Polygons, circles and masks are outlines; rectangles,
    lines and points are not. Flags of an image that are set count as annotations of it. Raises
    DataError for a broken file, one without its image, and images of which nothing is said.
    """
    files = [file for file in _json_files(source) if _is_labelme(file)]
    parsed = {file.relative_to(source).as_posix(): _parsed(file) for file in files}
    found = _located(source, parsed)
    images = [_annotated(source, name, content, found[name]) for name, content in parsed.items()]
    bare = sorted(set(list_images(source, ".")) - {image.path for image in images})
    unknown = [path for path in bare if told_by_path(path) != GOOD]
    if unknown:
        raise DataError(f"{source}: {len(unknown)} images have no LabelMe file ({listing(unknown)})"
                        ": are they good? Put good images into a folder good/, and annotate the "
                        "others or take them out.")
    images += [Annotated(path, _split(path), (), said_good=True) for path in bare]
    records, notes = to_records(source, images, "LabelMe files")
    return Reading(records, tuple(sorted(parsed)), notes=tuple(notes))


def _json_files(source: Path) -> list[Path]:
    return sorted(file for file in walk(source) if file.suffix.lower() == ".json")


def _is_labelme(file: Path) -> bool:
    """By its keys, so that a broken file is refused and not passed over."""
    try:
        content = file.read_bytes()
    except OSError:
        return False
    return b'"shapes"' in content and b'"imagePath"' in content


def _parsed(file: Path) -> _Labelled:
    try:
        return _Labelled.model_validate_json(file.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"][:3])) or "the file"
        raise DataError(f"{file}: expected a LabelMe file, found at {where}: {first['msg']}; save "
                        "it again.") from None


def _located(source: Path, parsed: dict[str, _Labelled]) -> dict[str, str]:
    """JSON file -> its image: the one it names, else the one of its own name beside it."""
    images = list_images(source, ".")
    by_stem = {str(PurePosixPath(path).with_suffix("")): path for path in images}
    known, found, rest = set(images), {}, {}
    for name, content in parsed.items():
        here = PurePosixPath(name)
        said = content.imagePath.replace("\\", "/")
        beside = str(here.with_name(ntpath.basename(said))) if said else ""
        path = os.path.normpath(str(here.parent / said))
        if image := next((place for place in (path, beside) if place in known),
                         by_stem.get(str(here.with_suffix("")))):
            found[name] = image
        else:
            rest[name] = PurePosixPath(said).name or name
    located = locate(source, list(rest.values()), "LabelMe files")
    return found | dict(zip(rest, located.paths, strict=True))


def _annotated(source: Path, name: str, content: _Labelled, path: str) -> Annotated:
    width, height = content.imageWidth, content.imageHeight
    size = (width, height) if width and height else image_size(source, path, name)
    marks = [_mark(shape, size, name) for shape in content.shapes]
    marks += [Mark(flag) for flag, said in (content.flags or {}).items() if said]
    return Annotated(path, _split(path), tuple(marks), size)


def _split(path: str) -> str | None:
    return split_of_name(*reversed(PurePosixPath(path).parts[:-1]))


def _mark(shape: _Shape, size: tuple[int, int], name: str) -> Mark:
    points, kind = shape.points, shape.shape_type or "polygon"
    region: Region | None = None
    if kind == "polygon" and len(points) >= 3:
        region = Polygon(tuple(points))
    elif kind == "circle" and len(points) == 2:
        region = _circle(points[0], math.dist(*points))
    elif kind == "mask" and shape.mask and points:
        region = _mask(shape.mask, points[0], size, name)
    if region:
        return Mark(shape.label, (region,), region.area)
    spans = [max(values) - min(values) for values in zip(*points, strict=True)] or [0.0]
    return Mark(shape.label, area=math.prod(spans) if kind == "rectangle" else 0.0)


def _circle(centre: tuple[float, float], radius: float) -> Polygon:
    angles = 2 * np.pi * np.arange(_CORNERS) / _CORNERS
    return Polygon(tuple(zip((centre[0] + radius * np.cos(angles)).tolist(),
                             (centre[1] + radius * np.sin(angles)).tolist(), strict=True)))


def _decoded_mask(png: bytes) -> NDArray[np.bool_]:
    pixels = decode_image(png, "mask")
    return (pixels if pixels.ndim == 2 else pixels.max(2)) > 0


def _mask(encoded: str, corner: tuple[float, float], size: tuple[int, int], name: str) -> RunLength:
    """A picture of the marked pixels, whose upper left one is at `corner`."""
    try:
        marked = outside.in_worker(_decoded_mask, base64.b64decode(encoded), name=name)
    except (DataError, ValueError) as error:
        reason = error.reason if isinstance(error, UnreadableImage) else str(error)
        raise DataError(f"{name}: a mask in it cannot be read ({reason}); save it again.") from None
    whole = np.zeros((size[1], size[0]), bool)
    left, top = round(corner[0]), round(corner[1])
    part = marked[max(-top, 0):, max(-left, 0):]
    place = whole[max(top, 0):, max(left, 0):][:part.shape[0], :part.shape[1]]
    place |= part[:place.shape[0], :place.shape[1]]
    return RunLength.of(whole)
