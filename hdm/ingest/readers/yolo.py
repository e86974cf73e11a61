"""YOLO: data.yaml with names, images, and for each a text file with its boxes or outlines."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from ruamel.yaml import YAML, YAMLError

from hdm.dataset.problems import listing
from hdm.errors import DataError
from hdm.ingest.outlines import Polygon
from hdm.ingest.readers.annotated import Annotated, Mark, image_size, to_records
from hdm.ingest.readers.image_record import Reading, list_images, said_of, walk
from hdm.ingest.readers.locating import locate
from hdm.ingest.readers.mask_files import ANSWER
from hdm.ingest.readers.split_words import OPEN, split_of_name
from hdm.pipelines import Source

LAYOUT = "data.yaml with names (or classes.txt), images/ and labels/ with a .txt file an image"

_CLASSES = ("classes.txt", "obj.names", "labels/classes.txt")
_KEYS = {"train": "train", "val": OPEN, "valid": OPEN, "test": "test"}
_SLACK = 0.01  # of the image: rounding of exporters


def fits(source: Path) -> str:
    """Whether `source` holds a YAML file with names, or class names and a folder labels/."""
    if file := _settings_file(source):
        return file.name
    names = next((name for name in _CLASSES if (source / name).is_file()), "")
    return f"labels/ and {names}" if names and (source / "labels").is_dir() else ""


def read(source: Path, settings: Source | None = None) -> Reading:
    """All images of the folders that data.yaml names, or of the whole source.

    See annotated.py for which are good. Raises DataError for a line that is no box or outline, an
    unknown class, a text file without its image, or a folder that is not there.
    """
    file = _settings_file(source)
    content = _loaded(file) if file else {}
    document, names = _names(source, file, content)
    if "kpt_shape" in content:
        raise DataError(f"{document}: expected boxes or outlines, found key points (kpt_shape); "
                        "export outlines.")
    splits = _splits(source, content)
    _refuse_orphans(source, document)
    images, used = [], []
    labels = {path: next((place for place in _places(path) if (source / place).is_file()), None)
              for path in sorted(splits)}
    _refuse_unlabelled(source, document, labels, settings.folders if settings else {})
    for path, label in labels.items():
        used += [label] if label else []
        marks = _marks(source, path, label, names, document) if label else ()
        images.append(Annotated(path, splits[path], marks))
    records, notes = to_records(source, images, document)
    return Reading(records, (document, *used), notes=tuple(notes))


def _settings_file(source: Path) -> Path | None:
    if not source.is_dir():
        return None
    files = sorted(file for file in source.iterdir() if file.suffix.lower() in (".yaml", ".yml"))
    return next((file for file in files if "names" in _loaded(file)), None)


def _loaded(file: Path) -> dict[str, Any]:
    """Content of a YAML file; empty if it holds no mapping."""
    try:
        content = YAML(typ="safe").load(file.read_text(encoding="utf-8-sig"))
    except (YAMLError, OSError, UnicodeDecodeError):
        return {}
    return content if isinstance(content, dict) else {}


def _names(source: Path, file: Path | None, content: dict[str, Any],
           ) -> tuple[str, dict[int, str]]:
    if file:
        found = content["names"]
        pairs = enumerate(found) if isinstance(found, list) else \
            found.items() if isinstance(found, dict) else ()
        names = {int(key): str(name) for key, name in pairs if str(key).isdigit()}
        document = file.name
    else:
        document = next(name for name in _CLASSES if (source / name).is_file())
        lines = (source / document).read_text(encoding="utf-8-sig", errors="replace").splitlines()
        names = {number: line.strip() for number, line in enumerate(lines) if line.strip()}
    if not names:
        raise DataError(f"{document}: expected the names of the classes, found none; list them.")
    return document, names


def _splits(source: Path, content: dict[str, Any]) -> dict[str, str | None]:
    """Image -> its split by data.yaml, else by its folders; None where they do not tell."""
    found: dict[str, set[str]] = {}
    for key, split in _KEYS.items():
        entries = content.get(key) or ()
        for entry in [entries] if isinstance(entries, str) else entries:
            for path in _images_of(source, content, str(entry)):
                found.setdefault(path, set()).add(split)
    if found:
        return {path: next(iter(splits)) if len(splits) == 1 else None
                for path, splits in found.items()}
    return {path: split_of_name(*reversed(PurePosixPath(path).parts[:-1]))
            for path in list_images(source, ".")}


def _images_of(source: Path, content: dict[str, Any], entry: str) -> Iterable[str]:
    """Images of a folder or list that data.yaml names; none if it is not there, as in exports
    without a test. Folders are named from `path`, from the file, or from beside it."""
    text = entry.replace("\\", "/")
    bare = "/".join(part for part in text.split("/") if part not in ("..", ".", ""))
    base = str(content.get("path") or ".")
    inside = source.resolve()
    for place in (source / base / text, source / text, source / bare):
        real = place.resolve()
        if not real.is_relative_to(inside) or not real.exists():
            continue
        relative = real.relative_to(inside).as_posix()
        if real.is_file():
            lines = [line.strip() for line in
                     real.read_text(encoding="utf-8-sig", errors="replace").splitlines()]
            return locate(source, [line for line in lines if line], relative,
                          folders=(".", str(PurePosixPath(relative).parent))).paths
        return list_images(source, relative)
    return ()


def _places(path: str) -> list[str]:
    """Where the text file of an image may be: labels/ instead of images/, or beside it."""
    file = PurePosixPath(path).with_suffix(".txt")
    parts = file.parts
    found = [str(PurePosixPath(*parts[:number], "labels", *parts[number + 1:]))
             for number in reversed(range(len(parts) - 1)) if parts[number].lower() == "images"]
    return [*found, str(file), str(PurePosixPath("labels", file))]


def _refuse_orphans(source: Path, document: str) -> None:
    """Text files of annotations that belong to no image: one of the two may have been renamed."""
    places = {place for path in list_images(source, ".") for place in _places(path)}
    files = [file.relative_to(source) for file in walk(source) if file.suffix.lower() == ".txt"]
    lost = sorted(file.as_posix() for file in files
                  if ("labels" in map(str.lower, file.parts[:-1]) or _annotates(source / file))
                  and file.as_posix() not in places and file.as_posix() not in _CLASSES)
    if lost:
        raise DataError(f"{document}: {len(lost)} text files of annotations belong to no image "
                        f"({listing(lost)}); put the images there, or take the files out.")


def _annotates(file: Path) -> bool:
    """Whether each line of a text file is a box or an outline."""
    try:
        lines = [line.split() for line in file.read_text(encoding="utf-8-sig").splitlines()]
        return any(lines) and all(len(line) >= 5 and line[0].isdigit() and all(
            abs(float(word)) <= 2 for word in line[1:]) for line in lines if line)
    except (OSError, ValueError):
        return False


def _refuse_unlabelled(source: Path, document: str, labels: Mapping[str, str | None],
                       said: Mapping[str, str]) -> None:
    """Folders of images none of which has a text file, as if labels had been left behind."""
    asked = {path: label for path, label in labels.items() if said_of(path, said).role != "good"}
    folders: dict[str, list[str | None]] = defaultdict(list)
    for path, label in asked.items():
        folders[str(PurePosixPath(path).parent)].append(label)
    bare = next((folder for folder, found in folders.items() if not any(found)), None)
    if bare is not None:
        raise DataError(f"{document}: none of the {len(folders[bare])} images of {bare}/ has a "
                        "text file of annotations: are they good? Copy the files, write an "
                        f"empty one for each good image, or {ANSWER.format(folder=bare)}.")


def _marks(source: Path, path: str, label: str, names: dict[int, str], document: str,
           ) -> tuple[Mark, ...]:
    try:
        lines = (source / label).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise DataError(f"{label}: expected a text file of annotations, found one that cannot be "
                        "read; export it again.") from None
    rows = [(number, line.split()) for number, line in enumerate(lines, 1) if line.strip()]
    size = image_size(source, path, label) if rows else (0, 0)
    return tuple(_mark(f"{label} line {number}", words, names, size, document)
                 for number, words in rows)


def _mark(where: str, words: list[str], names: dict[int, str], size: tuple[int, int],
          document: str) -> Mark:
    """A box (class x y w h), or an outline (class x1 y1 x2 y2 ...), in shares of the image."""
    try:
        key, values = float(words[0]), [float(word) for word in words[1:]]
    except ValueError:
        key, values = -1.0, []
    outline = len(values) >= 6 and len(values) % 2 == 0
    if key < 0 or not (outline or len(values) == 4):
        raise DataError(f"{where}: expected `class x y width height` or `class x1 y1 x2 y2 x3 "
                        f"y3 ...`, found {' '.join(words)[:60]!r}; export it again.")
    if not all(-_SLACK <= value <= 1 + _SLACK for value in values):
        raise DataError(f"{where}: expected shares of the image between 0 and 1, found "
                        f"{max(values, key=abs):g}; export normalised coordinates.")
    if key not in names:
        raise DataError(f"{where}: the class {words[0]} is not among the {len(names)} names of "
                        f"{document}; add its name.")
    category, (width, height) = names[int(key)], size
    if not outline:
        return Mark(category, area=values[2] * width * values[3] * height)
    polygon = Polygon(tuple((x * width, y * height)
                            for x, y in zip(values[::2], values[1::2], strict=True)))
    return Mark(category, (polygon,), polygon.area)
