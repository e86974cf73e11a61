"""Contact sheet: good images and every defect kind with its mask outline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

_PER_ROW, _ZOOM, _LABEL, _GAP = 6, 2, 14, 4


def contact_sheet(folder: Path) -> Image.Image:
    """Return one RGB sheet of a drawn line: a row of good images, then a row per defect kind.

    Defective images show the outline of their mask in red. Raises FileNotFoundError if ``folder``
    holds no ``test/good`` images.
    """
    folder = Path(folder)
    kinds = sorted(path.name for path in (folder / "test").glob("*") if path.name != "good")
    rows: list[tuple[str, list[Image.Image]]] = []
    for kind in ["good", *kinds]:
        paths = sorted((folder / "test" / kind).glob("*.png"))
        if kind == "good" and not paths:
            raise FileNotFoundError(f"no images in {folder / 'test' / 'good'}")
        chosen = paths[:: max(1, len(paths) // _PER_ROW)][:_PER_ROW]
        rows.append((kind, [_tile(folder, kind, path) for path in chosen]))
    width, height = rows[0][1][0].size
    sheet = Image.new(
        "RGB",
        (_PER_ROW * (width + _GAP) + _GAP, len(rows) * (height + _LABEL + _GAP) + _GAP),
        "white",
    )
    draw = ImageDraw.Draw(sheet)
    for row, (kind, tiles) in enumerate(rows):
        top = _GAP + row * (height + _LABEL + _GAP)
        draw.text((_GAP, top), kind, fill="black")
        for column, tile in enumerate(tiles):
            sheet.paste(tile, (_GAP + column * (width + _GAP), top + _LABEL))
    return sheet


def _tile(folder: Path, kind: str, path: Path) -> Image.Image:
    with Image.open(path) as image:
        tile = image.convert("RGB")
    tile = tile.resize((tile.width * _ZOOM, tile.height * _ZOOM), Image.Resampling.NEAREST)
    if kind == "good":
        return tile
    with Image.open(folder / "ground_truth" / kind / f"{path.stem}_mask.png") as image:
        mask = np.kron(np.asarray(image) > 127, np.ones((_ZOOM, _ZOOM), bool))
    outline = ndimage.binary_dilation(mask, iterations=2) & ~ndimage.binary_dilation(mask)
    pixels = np.array(tile)
    pixels[outline] = (255, 0, 0)
    return Image.fromarray(pixels)
