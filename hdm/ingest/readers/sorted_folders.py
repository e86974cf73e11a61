"""Images sorted into folders by what they show: the part that layouts of folders share."""

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from hdm.dataset.file_walk import leads_elsewhere
from hdm.dataset.manifest import GOOD
from hdm.dataset.problems import listing
from hdm.errors import DataError
from hdm.ingest.readers.folder_names import means_bad, means_good
from hdm.ingest.readers.image_record import Reading, Record, Said, list_images, said_of
from hdm.ingest.readers.label_words import DEFECT, plain, told_by_path
from hdm.ingest.readers.mask_files import ANSWER, find_masks
from hdm.ingest.readers.parts import read_parts

Place = tuple[str | None, str]
"""Split and defect type that an image has by its folder."""


def read_folders(source: Path, place: Callable[[str, Said], Place | None],
                 roles: Mapping[str, str], *, fixed: bool, left: str, links: bool = True
                 ) -> Reading:
    """The images of `source` where `place(path, said)` says split and defect type.

    said: what a person has said of the image's folder in `roles`.
    fixed: every place is one of images; else what pictures show tells masks under any name.
    left: why images without a place are aside. links: whether what links lead to counts. Raises
    DataError with a question where it cannot be told what is a mask, or what is good.
    """
    images = [path for path in list_images(source, ".")
              if links or not leads_elsewhere(source, path)]
    aside = {path: "its folder is set aside in pipelines.yaml" for path in images
             if said_of(path, roles).role == "aside"}
    images = [path for path in images if path not in aside]
    places = {path: found for path in images if said_of(path, roles).role != "masks"
              and (found := place(path, said_of(path, roles)))}

    def is_good(path: str) -> bool:
        return path in places and places[path][1] == GOOD

    masks = find_masks(source, images, is_good, roles, lambda path: fixed and path in places)
    records = []
    for path in images:
        if path in masks.files:
            continue
        if path not in places:
            aside[path] = left
            continue
        split, kind = places[path]
        records.append(Record(path, split, kind, masks.of_image.get(path, ())))
    _refuse_mixtures(source, records, roles)
    with_parts = read_parts(source, records)
    return Reading(with_parts.records, with_parts.documents, aside | masks.lonely, masks.notes)


def _refuse_mixtures(source: Path, records: list[Record], roles: Mapping[str, str]) -> None:
    """Folders of defects below one of good parts, or the other way round."""
    kinds = {plain(record.defect_type) for record in records if record.label}
    odd: dict[str, list[str]] = {}
    for record in records:
        parts = PurePosixPath(record.path).parts[:-1]
        own = next((number for number, part in enumerate(parts)
                    if (means_good(part) if not record.label else part == record.defect_type)), 0)
        own_kind = {plain(record.defect_type)}
        for part in parts[own + 1:]:
            if record.label:
                against = means_good(part) or plain(part) in kinds - own_kind
            else:
                against = means_bad(part) or plain(part) in kinds \
                    or told_by_path(f"{part}/x") == DEFECT
            if against and not said_of(record.path, roles).role:
                odd.setdefault(f"{'/'.join(parts[:parts.index(part, own + 1) + 1])}", []).append(
                    record.path)
    named_bad = [record.path for record in records if not record.label
                 and told_by_path(PurePosixPath(record.path).name) == DEFECT
                 and not said_of(record.path, roles).role]
    if named_bad:
        folder = str(PurePosixPath(named_bad[0]).parent)
        raise DataError(f"{source}: {len(named_bad)} images are named like defects and lie among "
                        f"good ones ({listing(named_bad)}): good or defective? Move or rename "
                        f"them, or {ANSWER.format(folder=folder)}.")
    if odd:
        named = listing([f"{name}/ ({len(files)} images)" for name, files in odd.items()])
        raise DataError(f"{source}: inside a folder that says the opposite there is {named}: good "
                        "or defective? " + ANSWER.format(folder=next(iter(odd))) + ".")
