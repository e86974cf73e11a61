"""Images with annotations: what makes one good, in all formats of annotation files.

An image is a defect if any annotation on it names something other than good or background. It is
good if it is annotated as good alone, or if it has no annotation where no image of the source is
annotated as good. Where some are, an image without any is not judged: then a person is asked.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from hdm.dataset import outside
from hdm.dataset.images import FORMATS, read_image
from hdm.dataset.manifest import GOOD
from hdm.dataset.problems import listing
from hdm.errors import DataError
from hdm.ingest.outlines import Polygon, Region
from hdm.ingest.readers.image_record import Record
from hdm.ingest.readers.label_words import DEFECT, kind_of_word, plain, told_by_path
from hdm.ingest.readers.split_words import OPEN, complete

_TURNING = frozenset({"exif", "xmp", "XML:com.adobe.xmp"})
_BACKGROUND = frozenset({"background", "bg"})


@dataclass(frozen=True)
class Mark:
    """One annotation: its category, its outlines (none for a box or less), its area in px²."""

    category: str
    regions: tuple[Region, ...] = ()
    area: float = 0.0

    @property
    def kind(self) -> str:
        """Defect type; GOOD, or '' for background."""
        return "" if plain(self.category) in _BACKGROUND else kind_of_word(self.category)


@dataclass(frozen=True)
class Annotated:
    """One image and its annotations.

    split: as its source says, or split_words.OPEN. size: (width, height) in px that the source
    says it has. said_good: the source says so by other means than an annotation.
    """

    path: str
    split: str | None
    marks: tuple[Mark, ...]
    size: tuple[int, int] | None = None
    said_good: bool = False

    @property
    def kind(self) -> str:
        """GOOD, or the kind of defect that covers most of the image."""
        areas: dict[str, float] = defaultdict(float)
        for mark in self.marks:
            if mark.kind not in (GOOD, ""):
                areas[mark.kind] += mark.area
        return max(sorted(areas), key=lambda kind: areas[kind], default=GOOD)


def to_records(root: Path, images: Sequence[Annotated], document: str,
               ) -> tuple[list[Record], list[str]]:
    """Records of all images, and sentences about what was assumed.

    Defects of a training split become holdout: nothing is trained on a defect. A mask is drawn
    only where every defect of an image has an outline, as half a mask would call the rest good.
    Raises DataError for an image that occurs twice, is not judged, or has another size than the
    annotations are made for.
    """
    _refuse_repeats(images, document)
    _refuse_unjudged(images, document)
    _check_sizes(root, [image for image in images if image.kind != GOOD], document)
    follows = complete(image.split for image in images)
    records = [Record(image.path, _split(image, follows), image.kind, regions=_regions(image))
               for image in images]
    return records, _notes(images, follows, document)


def image_size(root: Path, path: str, document: str) -> tuple[int, int]:
    """(width, height) in px of an image as it is seen; raises DataError if it cannot be read.

    From its header where that tells, else decoded: metadata may turn an image.
    """
    try:
        return outside.in_worker(_size, root / path, name=root / path)
    except DataError as error:
        raise DataError(f"{document} names an image that cannot be used: {error}") from None


def _size(file: Path) -> tuple[int, int]:
    try:
        with Image.open(file, formats=FORMATS) as image:
            if image.format != "TIFF" and not _TURNING.intersection(image.info):
                return image.size
    except Exception:  # a damaged header may raise anything, and so does decoding, in a sentence
        pass
    height, width = read_image(file).shape[:2]
    return width, height


def _split(image: Annotated, follows: bool) -> str | None:
    if not follows or image.split == OPEN:
        return None
    trained = image.split in ("train", "calibration")
    return "holdout" if trained and image.kind != GOOD else image.split


def _regions(image: Annotated) -> tuple[Region, ...]:
    found = [mark.regions for mark in image.marks if mark.kind not in (GOOD, "")]
    return tuple(region for regions in found for region in regions) if all(found) else ()


def _refuse_repeats(images: Sequence[Annotated], document: str) -> None:
    twice = sorted(path for path, number in Counter(i.path for i in images).items() if number > 1)
    if twice:
        raise DataError(f"{document}: {len(twice)} images occur more than once ({listing(twice)}); "
                        "keep one entry an image, and one annotation file for it.")


def _refuse_unjudged(images: Sequence[Annotated], document: str) -> None:
    bare = [image.path for image in images if not image.said_good
            and not any(mark.kind for mark in image.marks)]
    good = [image.path for image in images if any(mark.kind == GOOD for mark in image.marks)]
    if bare and good:
        raise DataError(f"{document}: {len(good)} images are annotated as good ({good[0]}), and "
                        f"{len(bare)} have no annotation ({listing(bare)}): are they good, too? "
                        "Annotate them, or take them out.")
    told = [path for path in bare if told_by_path(path) == DEFECT]
    if told:
        raise DataError(f"{document}: {len(told)} images without an annotation would be good, and "
                        f"their names tell of defects ({listing(told)}); annotate or rename them, "
                        "or take them out.")


def _check_sizes(root: Path, images: Sequence[Annotated], document: str) -> None:
    wrong = []
    for image in images:
        if not image.size and not _regions(image):
            continue
        width, height = image_size(root, image.path, document)
        if image.size and image.size != (width, height):
            wrong.append(f"{image.path} ({image.size[0]}x{image.size[1]} px, and the file has "
                         f"{width}x{height})")
        elif any(_outside(region, width, height) for region in _regions(image)):
            wrong.append(f"{image.path} (an outline outside its {width}x{height} px)")
    if wrong:
        raise DataError(f"{document}: {len(wrong)} images are not those that were annotated: "
                        f"{listing(wrong)}; annotate the images as they are, or put the original "
                        "ones there.")


def _outside(region: Region, width: int, height: int) -> bool:
    if not isinstance(region, Polygon):
        return (region.width, region.height) != (width, height)
    x, y = zip(*region.points, strict=True)
    return min(x) >= width or min(y) >= height or max(x) < 0 or max(y) < 0


def _notes(images: Sequence[Annotated], follows: bool, document: str) -> list[str]:
    defects = [image for image in images if image.kind != GOOD]
    bare = sum(not any(mark.kind for mark in image.marks) for image in images)
    boxed = sum(any(not mark.regions for mark in image.marks if mark.kind not in (GOOD, ""))
                for image in defects)
    mixed = sum(len({mark.kind for mark in image.marks} - {GOOD, ""}) > 1 for image in defects)
    kinds = sorted({image.kind for image in defects})
    splits = {image.split for image in images if image.split}
    held = sum(image.split in ("train", "calibration") for image in defects) if follows else 0
    left = sum(image.split == OPEN for image in images) if follows else 0
    found: dict[str, object] = {
        f"{len(defects)} of {len(images)} images have annotations of defects "
        f"({listing(kinds, 10)}).": defects,
        f"{bare} images without an annotation are taken as good.": bare,
        f"{boxed} defect images are marked by boxes or points, in part at least, which are no "
        "outlines: they count as images, and have no mask.": boxed,
        f"{mixed} images with several kinds of defect count under the one that covers most.": mixed,
        f"{held} defect images of the training split are held out: no defect is trained on.": held,
        f"{left} images for validation are left to the pipeline to split.": left,
        f"its splits ({listing(sorted(splits))}) are not train and test, so that the pipeline "
        "splits all images.": splits and not follows,
    }
    return [f"{document}: {sentence}" for sentence, said in found.items() if said]
