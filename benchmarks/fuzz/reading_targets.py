"""What reads pictures, masks and documents."""

import json
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.fuzz.seed_documents import DOCUMENTS, NAMES, PICTURE, REGIONS
from benchmarks.fuzz.seed_pictures import COLOUR, PICTURES, saved, tiled
from hdm.dataset import outside
from hdm.dataset.allowance import limited
from hdm.dataset.decoding_limits import DecodingLimits
from hdm.dataset.images import decode_image, pages
from hdm.dataset.line_region import combined, region_of
from hdm.errors import HDMError
from hdm.ingest.mask_reading import colours_of
from hdm.ingest.readers import read_source
from hdm.pipelines import Source

LIMITS = DecodingLimits(pixels=20_000_000)
"""Those of a server with --max-megapixels 20, so that no picture may take a GiB."""


class Target(NamedTuple):
    """seeds: sound inputs. call: raises HDMError where it refuses one, anything else is a crash."""

    seeds: Sequence[bytes]
    call: Callable[[bytes], object]


def picture(kind: str) -> Target:
    """Pages and pixels, in this process with the limits of a worker, which may end it."""
    def call(data: bytes) -> None:
        with limited(LIMITS):
            pages(data)
            decode_image(data, "picture")
    return Target(PICTURES[kind](), call)


def mask(folder: Path) -> Target:
    """Mask files, as ingest reads them."""
    def call(data: bytes) -> None:
        file = folder / "mask"
        file.write_bytes(data)
        with limited(LIMITS):
            colours_of(file, "mask")
    drawn = (COLOUR[..., 0] > 128).astype("u1") * 255
    return Target([saved(drawn, "PNG"), saved(drawn, "PNG", "1"), saved(drawn, "JPEG"),
                   saved(drawn, "PNG", "LA"), saved(drawn, "TIFF"), saved(COLOUR, "PNG", "P"),
                   saved(drawn, "BMP")], call)


def worker(folder: Path) -> Target:
    """Pictures of all formats through the worker processes; sound ones are read between them."""
    sound = folder / "sound.png"
    sound.write_bytes(PICTURE)

    def call(data: bytes) -> None:
        file = folder / "picture"
        file.write_bytes(data)
        try:
            outside.read_image(file)
        finally:
            if outside.read_image(sound).shape != (16, 20):
                raise AssertionError("a sound picture is not read after this one")
    seeds = [seed for make in PICTURES.values() for seed in make()]
    return Target([*seeds, tiled(3000, 3000)], call)


def document(kind: str, folder: Path) -> Target:
    """A source of three pictures, and a table or annotations of them."""
    name, seeds = DOCUMENTS[kind]
    below = {"YOLO": "images", "parts.csv": "good"}.get(kind, "")
    for picture_name in NAMES:
        apart = kind == "LabelMe" and picture_name != NAMES[0]  # good by their folder
        place = folder / ("good" if apart else below)
        place.mkdir(exist_ok=True)
        (place / picture_name).write_bytes(PICTURE)
    if kind == "YOLO":
        (folder / "labels").mkdir()
        (folder / "classes.txt").write_text("dent\nscratch\n", encoding="utf-8")
    form = {"table (CSV)": "table", "parts.csv": "folder"}.get(kind, kind.lower())
    source = folder / name if form in ("table", "lookout", "coco") else folder

    def call(data: bytes) -> None:
        (folder / name).write_bytes(data)
        read_source(source, Source(path=str(source), format=form))
    return Target(seeds, call)


def region() -> Target:
    """What `PUT /v1/LINE/region` and `hdm region --file` are given."""
    def call(data: bytes) -> None:
        try:
            content = json.loads(data)
        except (ValueError, RecursionError) as error:  # as the route has it
            raise HDMError(str(error)) from None
        combined(region_of(content, "region"), None, 64, 64)
    return Target(REGIONS, call)


def _in_folder(make: Callable[[Path], Target]) -> Target:
    return make(Path(tempfile.mkdtemp(prefix="hdm-fuzz-")))


TARGETS: dict[str, tuple[int, Callable[[], Target]]] = {
    **{kind: (6000, partial(picture, kind)) for kind in PICTURES},
    "masks": (5000, partial(_in_folder, mask)),
    "worker processes": (3000, partial(_in_folder, worker)),
    **{kind: (2500, partial(_in_folder, partial(document, kind))) for kind in DOCUMENTS},
    "regions (JSON)": (6000, region)}
"""How many inputs of 100,000, and how a target is made, by kind."""
