"""COCO: JSON files with images, categories and annotations."""

from collections import Counter, defaultdict
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hdm.dataset.problems import listing
from hdm.errors import DataError
from hdm.ingest.outlines import Polygon, Region, RunLength
from hdm.ingest.readers.annotated import Annotated, Mark, to_records
from hdm.ingest.readers.image_record import Reading, list_folders
from hdm.ingest.readers.locating import locate
from hdm.ingest.readers.run_lengths import decode_counts
from hdm.ingest.readers.split_words import OPEN, split_of_name
from hdm.pipelines import Source

LAYOUT = ("COCO JSON files with images, categories and annotations, in the folder, in "
          "annotations/ or in the folder of each split")

_HEAD = 65_536
Id = int | str


class _Part(BaseModel):
    model_config = ConfigDict(allow_inf_nan=False)


class _Image(_Part):
    id: Id
    file_name: str = Field(min_length=1)
    width: int | None = None
    height: int | None = None


class _Category(_Part):
    id: Id
    name: str = Field(min_length=1)


class _Runs(_Part):
    size: tuple[int, int]
    counts: str | list[int]


class _Annotation(_Part):
    id: Id | None = None
    image_id: Id
    category_id: Id
    bbox: list[float] | None = None
    area: float | None = None
    segmentation: _Runs | list[float] | list[list[float]] | None = None


class _Coco(_Part):
    images: list[_Image]
    categories: list[_Category] = []
    annotations: list[_Annotation]


class _Document(NamedTuple):
    path: str
    content: _Coco


def fits(source: Path) -> str:
    """Whether `source` is a COCO file, or a folder with some in the usual places."""
    return listing([str(file.relative_to(_root(source))) for file in _files(source)], 3)


def read(source: Path, settings: Source | None = None) -> Reading:
    """All images that the files list; see annotated.py for which of them are good.

    The split is told by the name of the file, its folder, or the image's folder. Raises DataError
    for a file that is not COCO, an annotation of an image or category that is not listed, and an
    image that is missing, occurs twice or has another size.
    """
    root = _root(source)
    documents = [_Document(file.relative_to(root).as_posix(), _parsed(file))
                 for file in _files(source)]
    _refuse_unannotated(documents)
    images: list[Annotated] = []
    notes: list[str] = []
    for document in documents:
        found, told = _images(root, document)
        images += found
        notes += told
    name = listing([document.path for document in documents], 3)
    records, told = to_records(root, images, name)
    return Reading(records, tuple(document.path for document in documents),
                   notes=(*notes, *told))


def _root(source: Path) -> Path:
    return source.parent if source.is_file() else source


def _files(source: Path) -> list[Path]:
    if source.is_file():
        return [source] if source.suffix.lower() == ".json" and _is_coco(source) else []
    return [file for folder in (".", *list_folders(source))
            for file in sorted((source / folder).glob("*.json")) if _is_coco(file)]


def _is_coco(file: Path) -> bool:
    """By the keys alone, so that a broken file is refused and not passed over."""
    try:
        with file.open("rb") as stream:
            if b'"shapes"' in stream.read(_HEAD):  # LabelMe; its pictures make it large
                return False
            stream.seek(0)
            content = stream.read()
    except OSError:
        return False
    return b'"images"' in content and (b'"annotations"' in content or b'"categories"' in content)


def _parsed(file: Path) -> _Coco:
    try:
        return _Coco.model_validate_json(file.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"][:3])) or "the file"
        raise DataError(f"{file}: expected COCO JSON, found at {where}: {first['msg']}; export it "
                        "again.") from None
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}; correct its permissions."
                        ) from None


def _images(root: Path, document: _Document) -> tuple[list[Annotated], list[str]]:
    path, content = document
    _check_ids(document)
    names = {category.id: category.name for category in content.categories}
    marks: dict[Id, list[Mark]] = defaultdict(list)
    for annotation in content.annotations:
        regions = _regions(annotation, path)
        marks[annotation.image_id].append(
            Mark(names[annotation.category_id], regions, _area(annotation, regions)))
    here = PurePosixPath(path)
    split = split_of_name(here.stem, here.parent.name)
    found = locate(root, [image.file_name for image in content.images], path,
                   folders=[str(here.parent), *_folders_of(root, split), ".", "images"])
    return [Annotated(file, split or split_of_name(*reversed(PurePosixPath(file).parts[:-1])),
                      tuple(marks[image.id]), _size(image))
            for image, file in zip(content.images, found.paths, strict=True)], found.notes


def _folders_of(root: Path, split: str | None) -> list[str]:
    """Folders in `root` and in its images/ that are named like a split."""
    below = [*list_folders(root), *(f"images/{name}" for name in list_folders(root, "images"))]
    return [folder for folder in below
            if split and split_of_name(PurePosixPath(folder).name) == split]


def _check_ids(document: _Document) -> None:
    path, content = document
    for what, ids in (("images", [image.id for image in content.images]),
                      ("categories", [category.id for category in content.categories])):
        twice = [f"{key}" for key, number in Counter(ids).items() if number > 1]
        if twice:
            raise DataError(f"{path}: {len(twice)} {what} share an id with another "
                            f"({listing(twice)}); give each its own.")
    images = {image.id for image in content.images}
    categories = {category.id for category in content.categories}
    for what, lost in (
            ("images", [a.image_id for a in content.annotations if a.image_id not in images]),
            ("categories",
             [a.category_id for a in content.annotations if a.category_id not in categories])):
        if lost:
            raise DataError(f"{path}: {len(lost)} annotations are of {what} that it does not list "
                            f"(id {listing([str(key) for key in dict.fromkeys(lost)])}); list "
                            "them, or take the annotations out.")


def _size(image: _Image) -> tuple[int, int] | None:
    return (image.width, image.height) if image.width and image.height else None


def _regions(annotation: _Annotation, path: str) -> tuple[Region, ...]:
    """The outlines of an annotation; none if it is a box, or too small to enclose anything."""
    drawn = annotation.segmentation
    if isinstance(drawn, _Runs):
        height, width = drawn.size
        try:
            counts = decode_counts(drawn.counts) if isinstance(drawn.counts, str) else drawn.counts
            return (RunLength.checked(height, width, counts),)
        except ValueError as error:
            raise DataError(f"{path}: the run lengths of annotation {annotation.id} are {error}; "
                            "export it again.") from None
    parts = drawn or []
    outlines = [part for part in parts if isinstance(part, list)] \
        or [[part for part in parts if isinstance(part, float)]]
    odd = next((outline for outline in outlines if len(outline) % 2), None)
    if odd:
        raise DataError(f"{path}: expected x, y pairs as the outline of annotation "
                        f"{annotation.id}, found {len(odd)} numbers; export it again.")
    return tuple(Polygon(tuple(zip(outline[::2], outline[1::2], strict=True)))
                 for outline in outlines if len(outline) >= 6)


def _area(annotation: _Annotation, regions: tuple[Region, ...]) -> float:
    if regions:
        return sum(region.area for region in regions)
    box = annotation.bbox or []
    return annotation.area or (box[2] * box[3] if len(box) == 4 else 0.0)


def _refuse_unannotated(documents: list[_Document]) -> None:
    """A test without a single annotation is one that nobody has judged yet."""
    some = [path for path, content in documents if content.annotations]
    for path, content in documents:
        here = PurePosixPath(path)
        split = split_of_name(here.stem, here.parent.name)
        if some and content.images and not content.annotations and split in ("test", OPEN):
            raise DataError(f"{path}: none of its {len(content.images)} images has an annotation, "
                            f"and those of {some[0]} have: are all of them good? Annotate them, "
                            "with a category good if they are, or take the file out.")
