"""Amazon Lookout for Vision: manifests of JSON lines, as its console and Ground Truth write them.
"""

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hdm.dataset import outside
from hdm.dataset.images import read_image
from hdm.dataset.manifest import GOOD
from hdm.dataset.problems import listing, printable
from hdm.errors import DataError
from hdm.files import parse_json
from hdm.ingest.readers.image_record import Reading, Record
from hdm.ingest.readers.label_words import DEFECT, kind_of_word, plain
from hdm.ingest.readers.locating import locate
from hdm.ingest.readers.split_words import OPEN, complete, split_of_name
from hdm.pipelines import Source

LAYOUT = "a manifest of JSON lines with source-ref (Lookout for Vision), or a folder of them"

_IMAGE = "source-ref"
_LABEL_TYPE = "groundtruth/image-classification"
_MASK_TYPE = "groundtruth/semantic-segmentation"
_SUFFIXES = (".manifest", ".jsonl", ".json", ".ndjson", ".txt")


class _Line(NamedTuple):
    """One image of a manifest; kind is None where it has no label. classes: (name, colour) of what
    its mask may mark. differs: whether number and class name of the label disagree; None where it
    has not both."""

    where: str
    image: str
    kind: str | None
    mask: str | None
    classes: tuple[tuple[str, str], ...]
    differs: bool | None


def fits(source: Path) -> str:
    """Whether `source` is a manifest, or a folder with some."""
    return listing([file.name for file in _manifests(source)], 3)


def read(source: Path, settings: Source | None = None) -> Reading:
    """All labelled lines; those without a label are aside, as the service leaves them out, too.

    The class name says what is good, not the number, which counts classes in the order of the
    labelling job. Where a mask marks several kinds, the image counts under the one that covers
    most. The split is told by the names of the manifests, if there are train and test. Raises
    DataError for a broken line, files that are missing, and an image that occurs twice.
    """
    root = source.parent if source.is_file() else source
    files = _manifests(source)
    name = listing([file.name for file in files], 3)
    lines = [(split_of_name(file.stem), line) for file in files for line in _lines(file)]
    _refuse_mixed_numbers(name, [line for _, line in lines])
    images = locate(root, [line.image for _, line in lines], name)
    twice = sorted(path for path, number in Counter(images.paths).items() if number > 1)
    if twice:
        raise DataError(f"{name}: {len(twice)} images occur in more than one line "
                        f"({listing(twice)}); keep one manifest with train and one with test.")
    masks = locate(root, [line.mask for _, line in lines if line.mask], name, "masks")
    mask_files = iter(masks.paths)
    follows = complete(split for split, _ in lines)
    records, aside = [], {}
    for (split, line), path in zip(lines, images.paths, strict=True):
        mask = next(mask_files) if line.mask else None
        if line.kind is None:
            aside[path] = f"{line.where} has no label for it"
            continue
        kind = _kind(root, line, mask)
        given = split if follows and split != OPEN else None
        records.append(Record(path, "holdout" if kind != GOOD and given == "train" else given,
                              kind, (mask,) if mask and kind != GOOD else ()))
        if mask and kind == GOOD:
            aside[mask] = "the mask of a good image, which marks nothing"
    return Reading(records, tuple(file.name for file in files), aside,
                   (*images.notes, *masks.notes, *_notes(name, lines, follows, len(aside))))


def _manifests(source: Path) -> list[Path]:
    files = [source] if source.is_file() else sorted(source.iterdir()) if source.is_dir() else []
    return [file for file in files if file.suffix.lower() in _SUFFIXES and file.is_file()
            and not file.name.startswith(".") and _is_manifest(file)]


def _is_manifest(file: Path) -> bool:
    """By the key of its first line, so that a broken file is refused and not passed over."""
    try:
        with file.open("rb") as stream:
            return f'"{_IMAGE}"'.encode() in next((line for line in stream if line.strip()), b"")
    except OSError:
        return False


def _lines(file: Path) -> list[_Line]:
    try:
        texts = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise DataError(f"{file} cannot be read as UTF-8 text; export it again.") from None
    found = []
    for number, text in enumerate(texts, 1):
        if not text.strip():
            continue
        where = f"{file.name} line {number}"
        try:
            content = parse_json(text)
        except ValueError as error:
            raise DataError(f"{where}: expected a JSON object, found something else ({error}); "
                            "export the manifest again.") from None
        if not isinstance(content, dict) or not isinstance(content.get(_IMAGE), str):
            raise DataError(f"{where}: expected a JSON object with {_IMAGE}, found none; export "
                            "the manifest again.")
        found.append(_line(where, content))
    return found


def _line(where: str, content: dict[str, Any]) -> _Line:
    labels = _attributes(content, _LABEL_TYPE)
    told = {name: _label(where, name, content) for name in labels}
    if len({kind == GOOD for kind, _ in told.values()}) > 1:
        raise DataError(f"{where}: its labels {listing(labels)} disagree; keep one of them.")
    kind, differs = next(iter(told.values()), (None, None))
    mask: str | None = None
    classes: tuple[tuple[str, str], ...] = ()
    for name in _attributes(content, _MASK_TYPE):
        mask = content[name] if isinstance(content[name], str) else None
        colours = content[f"{name}-metadata"].get("internal-color-map")
        entries = [entry for entry in colours.values() if isinstance(entry, dict)] \
            if isinstance(colours, dict) else []
        classes = tuple((str(entry.get("class-name", "")), str(entry.get("hex-color", "")))
                        for entry in entries if plain(str(entry.get("class-name"))) != "background")
    return _Line(where, content[_IMAGE], kind, mask, classes, differs)


def _attributes(content: dict[str, Any], kind: str) -> list[str]:
    """Names of the attributes whose metadata say that they are of this type."""
    return [name for name in content
            if isinstance(about := content.get(f"{name}-metadata"), dict)
            and about.get("type") == kind]


def _label(where: str, name: str, content: dict[str, Any]) -> tuple[str, bool | None]:
    """GOOD, DEFECT or the name of a defect, and whether the number says otherwise (None: either is
    missing)."""
    word, digit = content[f"{name}-metadata"].get("class-name"), content[name]
    by_number = GOOD if digit == 0 else DEFECT if digit == 1 else None
    kind = kind_of_word(word) if isinstance(word, str) and word.strip() else by_number
    if kind is None:
        raise DataError(f"{where}: expected the class-name normal or anomaly of {name}, found "
                        f"{word!r} and the number {digit!r}; label the image.")
    if by_number is None or not word:
        return kind, None
    return kind, (by_number == GOOD) != (kind == GOOD)


def _kind(root: Path, line: _Line, mask: str | None) -> str:
    """Defect type by the label, made more exact by what the mask marks."""
    kind = str(line.kind)
    if mask is None or not line.classes or (kind != GOOD and len(line.classes) == 1):
        return kind_of_word(line.classes[0][0]) if kind == DEFECT and line.classes else kind
    areas = outside.in_worker(_areas, root / mask, name=mask)
    marked = {name: areas[colour.lower()] for name, colour in line.classes
              if areas[colour.lower()]}
    if kind == GOOD and marked:
        raise DataError(f"{line.where}: {printable(line.image)} is labelled normal, and its mask "
                        f"marks {listing(sorted(marked))}; correct one of them.")
    if kind != DEFECT or not marked:
        return kind
    return kind_of_word(max(sorted(marked), key=lambda name: marked[name]))


def _refuse_mixed_numbers(name: str, lines: list[_Line]) -> None:
    """A labelling job may number its classes either way, but one way for all images."""
    numbered = [line for line in lines if line.differs is not None]
    odd = [line.where for line in numbered if line.differs]
    if odd and len(odd) < len(numbered):
        raise DataError(f"{name}: in {len(odd)} lines ({listing(odd)}) the number of the label "
                        f"says otherwise than its class name, and in {len(numbered) - len(odd)} "
                        "it agrees; correct the labels.")


def _areas(mask: Path) -> Counter[str]:
    """Pixels of each colour, as #rrggbb."""
    pixels = np.atleast_3d(read_image(mask))
    rgb = np.broadcast_to(pixels, (*pixels.shape[:2], 3)).reshape(-1, 3)
    colours, counts = np.unique(rgb, axis=0, return_counts=True)
    return Counter({"#" + "".join(f"{value:02x}" for value in colour): int(count)
                    for colour, count in zip(colours, counts, strict=True)})


def _notes(name: str, lines: list[tuple[str | None, _Line]], follows: bool, aside: int,
           ) -> list[str]:
    splits = sorted({split for split, _ in lines if split})
    bare = sum(line.kind is None for _, line in lines)
    differs = [line.where for _, line in lines if line.differs]
    held = sum(line.kind not in (None, GOOD) and split == "train" for split, line in lines)
    found: dict[str, object] = {
        f"{bare} of {len(lines)} lines have no label; their images are left aside.": bare,
        f"the number of the label says otherwise than its class name in {len(differs)} lines "
        f"({listing(differs, 2)}); the name counts.": differs,
        f"{held} defect images of the training split are held out: no defect is trained on.":
            held and follows,
        f"its splits ({listing(splits)}) are not train and test, so that the pipeline splits all "
        "images.": splits and not follows,
    }
    return [f"{name}: {sentence}" for sentence, said in found.items() if said]
