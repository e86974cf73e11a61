"""Images of 32x24 px and the documents that annotate them."""

import json
from pathlib import Path

import numpy as np
import pytest
from image_files import pixels, write

from hdm.errors import DataError
from hdm.ingest.readers import read_source
from hdm.pipelines import Source

SQUARE = [4.0, 4.0, 10.0, 4.0, 10.0, 9.0, 4.0, 9.0]


def images(root: Path, *names: str) -> None:
    for number, name in enumerate(names):
        write(root / name, pixels(number))


def save(file: Path, content: object) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return file


def coco(names, marks=(), categories=("good", "dent", "scratch"), **image):
    """A COCO document; `marks` are (number of the image, category, further keys)."""
    return {"images": [{"id": i, "file_name": name, "width": 32, "height": 24, **image}
                       for i, name in enumerate(names)],
            "categories": [{"id": i, "name": name} for i, name in enumerate(categories)],
            "annotations": [{"id": i, "image_id": number, "category_id": categories.index(category),
                             "bbox": [4, 4, 6, 5], "segmentation": [SQUARE], **more}
                            for i, (number, category, more) in enumerate(marks)]}


def kinds(source: Path, **settings):
    return {record.path: record.defect_type for record in records(source, **settings)}


def records(source: Path, **settings):
    return read_source(source, Source(path=str(source), **settings)).records


def noted(source: Path, **settings) -> str:
    return " ".join(read_source(source, Source(path=str(source), **settings)).notes)


def question(source: Path, **settings) -> str:
    with pytest.raises(DataError) as caught:
        records(source, **settings)
    message = str(caught.value)
    assert "\n" not in message and message.endswith((".", "?"))
    return message


def square(height=24, width=32) -> np.ndarray:
    """The mask of SQUARE."""
    mask = np.zeros((height, width), bool)
    mask[4:9, 4:10] = True
    return mask
