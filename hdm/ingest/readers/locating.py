"""Finding the files that a document names: paths are written on other machines than they are read.
"""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote

from hdm.dataset.problems import listing, printable
from hdm.errors import DataError
from hdm.ingest.readers.image_record import walk

_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:/|//", re.IGNORECASE)
_TRIED = 5  # names whose namesakes are looked at


class Located(NamedTuple):
    """Where the named files are: POSIX paths relative to the root, in the order of the names, and
    sentences about what had to be assumed."""

    paths: list[str]
    notes: list[str]


class _Move(NamedTuple):
    """Another beginning of paths: `old` is taken off and `new` put before them."""

    old: str
    new: str

    def __call__(self, name: str) -> str | None:
        if not name.startswith(self.old):
            return None
        return self.new + name[len(self.old):]


def locate(root: Path, names: Sequence[str], document: str, what: str = "images",
           folders: Sequence[str] = (".",)) -> Located:
    """The files below `root` that a document names.

    A name may be relative to one of `folders` (the first that holds all of them), absolute, of
    another machine (C:\\data\\a.png, s3://bucket/a.png) or a file:// URL, with `\\` or %20. Where
    nothing is found so, all names are moved by one common change of their beginning, if there is
    just one under which all exist. Case may differ where that leaves no choice.
    Raises DataError naming what is missing, lies outside `root`, or could be more than one file.
    """
    wanted = [_cleaned(root, name, document) for name in names]
    index = _Index(root)
    found: dict[str, str] = {}
    notes = []
    for elsewhere in (False, True):
        part = sorted({name for name in wanted if bool(_foreign(name)) == elsewhere})
        if not part:
            continue
        moved = False
        moves = [_Move("", "" if folder in ("", ".") else folder + "/") for folder in folders]
        move = next((move for move in moves if not elsewhere and index.all_below(move, part)), None)
        if move is None and (index.none_below(moves, part) or elsewhere):
            move = _best_move(index, part, document)
            moved = move is not None
        if move is None:
            move = max(moves, key=lambda move: sum(index.find(move, name) is not None
                                                   for name in part))
        missing = [name for name in part if index.find(move, name) is None]
        if missing and elsewhere and len(missing) == len(part):
            raise DataError(f"{printable(missing[0])}: expected a file inside {root}, and none "
                            f"there ends like it ({len(missing)} of {len(set(wanted))} paths of "
                            f"{document} begin outside); put the files there, or write paths "
                            "relative to that folder.")
        if missing:
            named = listing([f"{printable(name)} (no such file)" for name in missing])
            raise DataError(f"{document}: {len(missing)} of {len(set(wanted))} files cannot be "
                            f"used: {named}; put them below {root}, or take their entries out.")
        found |= {name: index.find(move, name) or "" for name in part}
        if moved:
            notes.append(f"{document}: its {len(part)} {what} were found by the end of their "
                         f"paths: {printable(part[0])} is {printable(found[part[0]])}.")
    cased = sorted({path for name, path in found.items()
                    if not path.endswith(PurePosixPath(name).name)})
    if cased:
        notes.append(f"{document}: {len(cased)} {what} are written otherwise than on the disk "
                     f"({printable(cased[0])}): capital letters or %20.")
    return Located([found[name] for name in wanted], notes)


def _cleaned(root: Path, name: str, document: str) -> str:
    """With / alone, without file://, relative where it is inside `root`."""
    text = name.strip()
    if text.startswith("/") or not _is_file(root / text):
        text = text.replace("\\", "/")
        if text.lower().startswith("file:"):
            text = unquote(re.sub(r"^file:(//[^/]*)?(?=/)", "", text, flags=re.IGNORECASE))
            text = re.sub(r"^/(?=[a-z]:/)", "", text, flags=re.IGNORECASE)
        if re.match("https?:/", text, re.IGNORECASE):
            text = re.split("[?#]", text)[0]
    if not _ELSEWHERE.match(text):
        text = os.path.normpath(text)
    if text.startswith("/") and not text.startswith("//"):
        for base in {str(root.absolute()), str(root.resolve())}:
            if text.startswith(base.rstrip("/") + "/"):
                return text[len(base.rstrip("/")) + 1:]
        if _is_file(Path(text)):
            raise DataError(f"{printable(text)}: expected a file inside {root}, found a path "
                            f"outside it in {document}; put {document} into a folder above all "
                            "its files, or the files below it.")
    elif text == ".." or text.startswith("../"):
        raise DataError(f"{printable(name)}: expected a file inside {root}, found a path outside "
                        f"it in {document}; make the folder above the source, or put the files "
                        "below it.")
    return text


def _foreign(name: str) -> bool:
    return name.startswith("/") or bool(_ELSEWHERE.match(name))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long
        return False


def _key(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


class _Index:
    """Files below a root, by their exact path and by one without case; listed when first asked."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, str | None] = {}
        self._listed: dict[str, list[str]] | None = None

    def find(self, move: _Move, name: str) -> str | None:
        moved = move(name)
        return None if moved is None else self._find(moved) or self._find(unquote(moved))

    def _find(self, path: str) -> str | None:
        if path not in self._known:
            alike = [path] if _is_file(self._root / path) else self._all().get(_key(path), [])
            self._known[path] = alike[0] if len(alike) == 1 else None
        return self._known[path]

    def all_below(self, move: _Move, names: Sequence[str]) -> bool:
        return all(self.find(move, name) is not None for name in names)

    def none_below(self, moves: Sequence[_Move], names: Sequence[str]) -> bool:
        return not any(self.find(move, name) for move in moves for name in names)

    def namesakes(self, name: str) -> list[str]:
        self._all()
        last = PurePosixPath(name).name
        return self._by_name.get(_key(last)) or self._by_name.get(_key(unquote(last))) or []

    def _all(self) -> dict[str, list[str]]:
        if self._listed is None:
            self._listed, self._by_name = defaultdict(list), defaultdict(list)
            for file in walk(self._root):
                path = file.relative_to(self._root).as_posix()
                self._listed[_key(path)].append(path)
                self._by_name[_key(file.name)].append(path)
        return self._listed


def _best_move(index: _Index, names: Sequence[str], document: str) -> _Move | None:
    """The move under which most names exist; of several, the one that keeps most of them.

    Raises DataError if all exist under two that keep as much.
    """
    kept: dict[_Move, int] = {}
    for name in [name for name in names if index.namesakes(name)][:_TRIED]:
        for path in index.namesakes(name):
            move, shared = _between(name, path)
            kept[move] = max(shared, kept.get(move, 0))
    rank = {move: (sum(index.find(move, name) is not None for name in names), shared)
            for move, shared in kept.items()}
    best = [move for move in rank if rank[move] == max(rank.values())]
    if len(best) > 1 and rank[best[0]][0] == len(names):
        raise DataError(f"{document}: {printable(names[0])} could be "
                        f"{listing([str(index.find(move, names[0])) for move in best])}; write "
                        "paths relative to the document's folder.")
    return best[0] if best else None


def _between(name: str, path: str) -> tuple[_Move, int]:
    """The move from `name` to `path`, which end alike, and how many parts they share."""
    ours, theirs = path.split("/"), name.split("/")
    kept = 1
    while kept < min(len(ours), len(theirs)) and _key(ours[-kept - 1]) == _key(theirs[-kept - 1]):
        kept += 1
    old, new = theirs[:-kept], ours[:-kept]
    return _Move("/".join([*old, ""]) if old else "", "/".join([*new, ""]) if new else ""), kept

