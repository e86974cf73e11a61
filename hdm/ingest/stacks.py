"""Files that hold many pictures of one size: each page is an image, a file's pages one part."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hdm.dataset.outside import other_pages, pages
from hdm.dataset.problems import listing
from hdm.errors import DataError
from hdm.ingest.readers.image_record import Record


def expand(root: Path, records: Sequence[Record]) -> tuple[list[Record], list[str]]:
    """`records` with one for each page of a stack, `a.tif#3` for the third, and a note.

    A mask has a page for each page of its image. Raises DataError where it has another number.
    """
    found, stacks, mixed = [], 0, []
    for record in records:
        number = pages(root / record.path)
        mixed += [record.path] if other_pages(root / record.path) else []
        if number == 1:
            found.append(record)
            continue
        stacks += 1
        for mask in record.masks:
            if (of_mask := pages(root / mask)) != number:
                raise DataError(f"{record.path} holds {number} pictures and its mask {mask} "
                                f"{of_mask}; give the mask a page for each of them.")
        found += [replace(record, path=_page(record.path, page), group=record.group or record.path,
                          masks=tuple(_page(mask, page) for mask in record.masks))
                  for page in range(1, number + 1)]
    note = [f"{stacks} files hold {len(found) - len(records) + stacks} pages of one size: each "
            "page is an image, and those of a file show one part."] if stacks else []
    if mixed:
        note.append(f"{len(mixed)} files hold pages of several sizes or types, of which those like "
                    f"the first large one are read: {listing(mixed)}.")
    return found, note


def _page(path: str, page: int) -> str:
    return f"{path}#{page}"
