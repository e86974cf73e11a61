"""A sheet of synthetic samples for people to look at."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage
from torch import Tensor

from hdm.dagm.bank import SampleBank
from hdm.dagm.mask_codes import NOT_INSPECTED

MARGIN, TEXT_HEIGHT, COLUMNS = 4, 14, 6
GREY = (150, 156, 164)


def sample_sheet(bank: SampleBank, normals: Tensor, *, seed: int,
                 captions: Sequence[str] | None = None) -> Image.Image:
    """Rows of one source each: good image above, grown defect with its outline below."""
    rng = np.random.default_rng(seed)
    sources = sorted(bank.table["source"].unique())
    height, width = bank.images.shape[2:]
    cell = (width + MARGIN, 2 * height + TEXT_HEIGHT + MARGIN)
    sheet = Image.new("RGB", (COLUMNS * cell[0] + MARGIN, len(sources) * cell[1] + MARGIN), "white")
    draw = ImageDraw.Draw(sheet)
    for row, source in enumerate(sources):
        members = np.flatnonzero(bank.table["source"] == source)
        chosen = rng.permutation(members)[:COLUMNS]
        for column, index in enumerate(sorted(chosen)):
            left, top = MARGIN + column * cell[0], MARGIN + row * cell[1]
            entry = bank.table.iloc[index]
            words = captions[index] if captions else f"{source} {entry['family']}"
            draw.text((left, top), words[:width // 6], fill="black")
            top += TEXT_HEIGHT
            sheet.paste(picture(normals[entry["base"]].numpy()), (left, top))
            seen = outline(picture(bank.images[index].float().numpy()), bank.masks[index].numpy())
            sheet.paste(seen, (left, top + height))
    return sheet


def picture(image: np.ndarray) -> Image.Image:
    """Normalised (C, H, W) as an 8-bit RGB picture; the line's range [-1, 1] fills 10 to 245."""
    values = np.clip((image + 1) * 117.5 + 10, 0, 255).astype(np.uint8)
    if len(values) == 1:
        values = values.repeat(3, 0)
    return Image.fromarray(values.transpose(1, 2, 0))


def outline(image: Image.Image, labels: np.ndarray) -> Image.Image:
    """Red around what is to be found (1), grey around what changed invisibly (2); what is not
    inspected (3) is grey."""
    values = np.asarray(image).copy()
    values[labels == NOT_INSPECTED] = GREY
    for label, colour in ((2, (160, 160, 160)), (1, (230, 30, 30))):
        inside = labels == label
        values[ndimage.binary_dilation(inside, iterations=2)
               & ~ndimage.binary_dilation(inside)] = colour
    return Image.fromarray(values)
