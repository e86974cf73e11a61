"""Which pages of a TIFF are its pictures: stacks, and previews beside the picture itself."""

import io
import logging
import re
import struct
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from tifffile import TiffFile, TiffPage

from hdm.dataset.not_read import NotRead

_REDUCED, _MASK = 1, 4  # bits of a page's tag NewSubfileType
_DECISIVE = frozenset({256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 317, 320, 322, 323,
                       324, 325, 338, 339})
"""Tags that say where the samples are and what they mean."""
_SUFFIX_WITH_PAGE = re.compile(r"(.+\.[A-Za-z0-9]+)#([1-9][0-9]{0,8})", re.DOTALL)
_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

# Of a damaged file the error is told, not what its tags looked like before.
logging.getLogger("tifffile").addHandler(logging.NullHandler())
logging.getLogger("tifffile").propagate = False


def split_page(path: Path | str) -> tuple[str, int | None]:
    """`stack.tif#3` -> (`stack.tif`, 3); a path that names no page -> (the path, None).

    Pages count from 1. Whether there are such a file and page is not looked at.
    """
    match = _SUFFIX_WITH_PAGE.fullmatch(str(path))
    return (match[1], int(match[2])) if match else (str(path), None)


def pages(source: Path | str | bytes) -> int:
    """How many pictures of one size and type a file holds: above 1 for a TIFF stack.

    Previews and masks beside them do not count. 1 for every other file, unreadable ones too;
    headers alone are read.
    """
    try:
        if isinstance(source, bytes):
            return max(1, len(page_offsets(io.BytesIO(source)))) if is_tiff(source[:4]) else 1
        if not Path(source).is_file():  # to open a pipe would wait for ever
            return 1
        with Path(source).open("rb") as stream:
            if not is_tiff(stream.read(4)):
                return 1
        return max(1, len(page_offsets(Path(source))))
    except Exception:  # what is wrong with the file is told when it is read
        return 1


def other_pages(path: Path | str) -> int:
    """How many pages of a file are none of its pictures: of another size or type than the first,
    and no previews, which are marked or have less than a quarter of its area. 0 for other files."""
    try:
        if not Path(path).is_file():
            return 0
        with Path(path).open("rb") as stream:
            if not is_tiff(stream.read(4)):
                return 0
            with open_tiff(stream) as tiff:
                areas = [page.imagewidth * page.imagelength for page in _every_page(tiff)
                         if not page.subfiletype & (_MASK | _REDUCED)]
        return sum(area >= 0.25 * max(areas) for area in areas) - len(page_offsets(Path(path)))
    except Exception:  # what is wrong with the file is told when it is read
        return 0


def is_tiff(start: bytes) -> bool:
    """Whether a file that starts so is a TIFF or a BigTIFF."""
    return start.startswith(_STARTS)


def page_offsets(source: Path | BinaryIO) -> tuple[int, ...]:
    """Where in the file the headers of its pictures are: of the largest pages those of the same
    type as the first, in their order. Those of a file are remembered until it changes.

    Raises what tifffile raises for a damaged file, ValueError if it has no page.
    """
    if isinstance(source, Path):
        status = source.stat()
        return _offsets_of_file(source.absolute(), status.st_size, status.st_mtime_ns)
    with open_tiff(source) as tiff:
        found = [page for page in _every_page(tiff) if not page.subfiletype & _MASK]
        candidates = [page for page in found if not page.subfiletype & _REDUCED] or found
        if not candidates:
            raise ValueError("a TIFF without an image")
        first = max(candidates, key=lambda page: page.imagewidth * page.imagelength)
        return tuple(page.offset for page in candidates if _kind(page) == _kind(first))


def choose_page(offsets: tuple[int, ...], number: int | None) -> int:
    """The offset of page `number`, the first for None. Raises NotRead where there is none."""
    if number is not None and number > len(offsets):
        held = "one page" if len(offsets) == 1 else f"{len(offsets)} pages"
        raise NotRead(f"a file of {held}, without a page {number}")
    return offsets[(number or 1) - 1]


def open_tiff(stream: BinaryIO) -> TiffFile:
    """The file from its beginning, wherever the stream stands."""
    stream.seek(0)
    return TiffFile(stream)


def page_at(tiff: TiffFile, offset: int) -> TiffPage:
    """The page whose header is there; raises what tifffile raises where there is none, and
    ValueError if a tag that says how to decode it is damaged: tifffile leaves those out."""
    tiff.filehandle.seek(offset)
    page = TiffPage(tiff, 0)
    tiff.filehandle.seek(offset)
    number = _number(tiff, tiff.tiff.tagnoformat)
    entries = tiff.filehandle.read(number * tiff.tiff.tagsize)
    for start in range(0, len(entries), tiff.tiff.tagsize):
        code = int(struct.unpack_from(f"{tiff.byteorder}H", entries, start)[0])
        if code in _DECISIVE and code not in page.tags:
            raise ValueError(f"the tag {code} is damaged")
    return page


@lru_cache(maxsize=256)
def _offsets_of_file(path: Path, size: int, mtime_ns: int) -> tuple[int, ...]:
    with path.open("rb") as stream:
        return page_offsets(stream)


def _every_page(tiff: TiffFile) -> Iterator[TiffPage]:
    """The pages in their order, each followed by those below it (SubIFDs), each once: tifffile
    would follow headers that point in a circle forever."""
    start, header = tiff.tiff, tiff.filehandle
    header.seek(8 if tiff.is_bigtiff else 4)
    waiting = [_number(tiff, start.offsetformat)]
    seen = {0}
    while waiting:
        offset = waiting.pop(0)
        if offset in seen:
            continue
        seen.add(offset)
        page = page_at(tiff, offset)
        yield page
        header.seek(offset)
        header.seek(_number(tiff, start.tagnoformat) * start.tagsize, 1)
        waiting = [*(page.subifds or ()), _number(tiff, start.offsetformat), *waiting]


def _number(tiff: TiffFile, layout: str) -> int:
    """The number that comes next in the file."""
    return int(struct.unpack(layout, tiff.filehandle.read(struct.calcsize(layout)))[0])


def _kind(page: TiffPage) -> tuple[object, ...]:
    return (page.imagewidth, page.imagelength, page.samplesperpixel, page.bitspersample,
            page.sampleformat, page.photometric)
