"""`hdm region`: what of a line's pictures is inspected."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hdm.commands.json_output import AsJson, print_json
from hdm.commands.line_name import LineName
from hdm.errors import ConfigError, DataError
from hdm.files import parse_json, read_json
from hdm.line import REGION, Line
from hdm.terminal import say

if TYPE_CHECKING:
    import numpy as np

    from hdm.dataset.line_region import LineRegion

SHAPE = 1.02
"""Times that a mask may be wider than the line's pictures; another shape is another picture's."""


def region(
    line: LineName,
    ignore: Annotated[Path | None, typer.Option(metavar="MASK.png", help=(
        "A picture in black and white: white is ignored."))] = None,
    polygon: Annotated[list[str] | None, typer.Option(metavar='"X,Y X,Y X,Y"', help=(
        "Corners as fractions of width and height; may be given several times."))] = None,
    file: Annotated[Path | None, typer.Option(metavar="REGION.json", help=(
        "A region as regions/LINE.json holds it, or a list of polygons."))] = None,
    inside: Annotated[bool, typer.Option("--inside", help=(
        "What is given is inspected, and all else ignored."))] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Inspect whole pictures again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show which region of a line's pictures is inspected, or set another in its place."""
    chosen = Line.load(line)
    given = [value for value in (ignore, polygon or None, file) if value is not None]
    if len(given) > 1 or (clear and (given or inside)) or (inside and not given):
        raise ConfigError("expected one of --ignore, --polygon, --file and --clear, and --inside "
                          f"beside one of the first three alone; see `hdm region {line}`, which "
                          "shows what there is.")
    # Late: numpy and Pillow, which the command line starts without.
    from hdm.dataset.region_file import clear_region, mask_from, read_region, write_region

    if clear:
        say(f"{line}: whole pictures are inspected" + (
            f" again; `hdm run {line}` trains it so." if clear_region(chosen.region_file) else "."))
        return
    if ignore:
        from hdm.dataset import outside
        from hdm.dataset.line_region import LineRegion

        mask = outside.in_worker(partial(mask_from, inspected=inside), ignore, name=ignore)
        _check_shape(chosen, ignore, mask)
        write_region(chosen.region_file, LineRegion(), mask)
    elif given:
        write_region(chosen.region_file, _outlines(polygon or [], file, inside))
    found = read_region(chosen.region_file)
    if as_json:
        print_json(found.model_dump(mode="json", exclude_defaults=True) if found else {})
        return
    if found is None:
        say(f"{line}: whole pictures are inspected; --ignore, --polygon or --file set a region.")
        return
    _show(chosen, found, written=bool(given))


def _outlines(polygons: list[str], file: Path | None, inside: bool) -> "LineRegion":
    """A region of what was typed, or of a file of it."""
    from hdm.dataset.line_region import region_of

    kind = "inspect" if inside else "ignore"
    if file is None:
        return region_of({kind: [{"corners": _corners(text)} for text in polygons]}, "--polygon")
    try:
        content: Any = parse_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: expected a region as JSON, found a file that cannot be read "
                        f"({error}).") from None
    if isinstance(content, list):
        return region_of({kind: [each if isinstance(each, dict) else {"corners": each}
                                 for each in content]}, str(file))
    if inside:
        raise ConfigError(f"{file} says itself what is inspected; leave --inside out.")
    return region_of(content, str(file))


def _corners(text: str) -> list[tuple[float, ...]]:
    try:
        corners = [tuple(float(value) for value in corner.split(",")) for corner in text.split()]
        if any(len(corner) != 2 for corner in corners):
            raise ValueError
    except ValueError:
        raise ConfigError(f'expected --polygon "x,y x,y x,y" with fractions of width and height, '
                          f"received {text[:80]!r}.") from None
    return corners


def _check_shape(line: Line, file: Path, mask: "np.ndarray") -> None:
    """Raise DataError if the mask has another shape than all of the line's pictures."""
    from hdm.dataset.manifest import Manifest

    if not line.manifest_file.is_file():
        return
    frame = Manifest.load(line.manifest_file, line.source_root).frame
    own = mask.shape[1] / mask.shape[0]
    shapes = frame["width"] / frame["height"]
    if not shapes.between(own / SHAPE, own * SHAPE).any():
        row = frame.iloc[0]
        raise DataError(f"{file}: expected a mask of the shape of the line's pictures, "
                        f"{row['width']} x {row['height']} px, found {mask.shape[1]} x "
                        f"{mask.shape[0]} px; paint it over one of them.")


def _show(line: Line, region: "LineRegion", *, written: bool) -> None:
    from rich.table import Table

    from hdm.console import Console
    from hdm.dataset.ignore_mask import IgnoreMask
    from hdm.dataset.region_file import TRIAL, digest, ignored_pixels

    mask = IgnoreMask.of(ignored_pixels(line.region_file, region, *TRIAL))
    table = Table("what", "name", "corners")
    for kind in ("ignore", "inspect"):
        for outline in getattr(region, kind):
            table.add_row(kind, outline.name, str(len(outline.corners)))
    if region.mask:
        table.add_row("ignore", region.mask, "mask")
    Console().print(table)
    say(f"{line.name}: {mask.share:.1%} of each picture is not inspected "
        f"({line.region_file.relative_to(line.project)})")
    if picture := _picture(line, mask):
        say(f"over a good picture: {picture}")
    settings = line.settings_file("dagm_fit")
    resolved = read_json(settings).get(REGION, {}) if settings.is_file() else {}
    if written:
        say(f"Commit regions/; `hdm run {line.name}` trains the line with it.")
    elif resolved.get("sha256") != digest(line.region_file, region):
        say(f"No training took it yet; `hdm run {line.name}` trains the line with it.")


def _picture(line: Line, mask: Any) -> Path | None:
    """Write the region over a good picture of the line; None if there is none yet."""
    from hdm.dataset.images import read_image
    from hdm.dataset.manifest import Manifest
    from hdm.drawing.hatching import hatched
    from hdm.drawing.heatmaps import for_display
    from hdm.files import atomic_file

    if not line.manifest_file.is_file():
        return None
    normals = Manifest.load(line.manifest_file, line.source_root).split("train")
    image = read_image(normals.image_file(next(iter(normals))))
    target = line.folder / "region.png"
    with atomic_file(target) as temporary:
        hatched(for_display(image), mask.touched(*image.shape[:2]).numpy()).save(
            temporary, format="PNG")
    return target
