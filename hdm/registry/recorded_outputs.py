"""A stage's outputs are what DVC recorded of them: dvc.lock has the MD5 of each.

DVC compares them before it runs that stage again. Whoever uses an output without DVC, or behind a
stage that was left out, asks here.
"""

import hashlib
import json
import re
import time
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML, YAMLError

from hdm.errors import HDMError
from hdm.line import Line

LOCK = "dvc.lock"
CACHE = Path(".dvc", "cache", "files", "md5")
TRIES, PAUSE = 3, 0.3  # another line's DVC may be writing at this moment


def check_recorded(line: Line, stage: str, *outputs: Path) -> None:
    """Raise HDMError if one of `outputs`, files or folders that `stage` of the line made, is not
    what DVC recorded of it, or DVC recorded nothing."""
    known = recorded(line.project, f"{stage}@{line.name}")
    for output in outputs:
        name = output.relative_to(line.project).as_posix()
        cure = (f"run `hdm run {line.name}`, which makes again what was changed, or put it back "
                f"with `dvc checkout {name}`.")
        if name not in known:
            raise HDMError(f"expected the hash of {name} in {LOCK}, found none, so nothing says "
                           f"that it is what {stage} made; {cure}")
        problem = _problem(line.project, output, known[name])
        if problem:
            raise HDMError(f"{name} is not what {stage} made: {problem}; {cure}")


def _problem(project: Path, output: Path, known: str) -> str:
    """What is wrong, or ""."""
    if not output.is_dir():
        if not output.is_file():
            return "it is missing"
        return "" if _md5(output) == known else "it was damaged or changed"
    found = {path.relative_to(output).as_posix(): _md5(path)
             for path in output.rglob("*") if path.is_file()}
    if folder_hash(found) == known:
        return ""
    return f"{_differing(project, known, found)} was damaged, changed, added or removed"


def folder_hash(files: dict[str, str]) -> str:
    """DVC's hash of a folder, from its files' paths and MD5."""
    listed = [{"md5": md5, "relpath": path} for path, md5 in sorted(files.items())]
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode(),
                       usedforsecurity=False).hexdigest() + ".dir"


def recorded(project: Path, stage: str) -> dict[str, str]:
    """Path -> MD5 of the stage's outputs; only that part of dvc.lock is read as YAML, as all of it
    takes a third of a second."""
    for left in reversed(range(TRIES)):
        try:
            text = (project / LOCK).read_text(encoding="utf-8")
            part = re.search(rf"^  {re.escape(stage)}:\n(?:    .*\n)*?(    outs:\n(?:    .*\n)+)",
                             text, re.MULTILINE)
            content: Any = YAML(typ="safe").load(part[1]) if part else {}
            outputs = {out["path"]: str(out["md5"]) for out in content["outs"]}
            if outputs:
                return outputs
        except (OSError, ValueError, KeyError, TypeError, YAMLError):
            pass
        if left and (project / LOCK).is_file():
            time.sleep(PAUSE)
    return {}


def _differing(project: Path, known: str, found: dict[str, str]) -> str:
    """The first file that is not as it was, as far as DVC's cache tells."""
    try:
        listed: Any = json.loads((project / CACHE / known[:2] / known[2:]).read_text())
        before = {entry["relpath"]: entry["md5"] for entry in listed}
    except (OSError, ValueError, KeyError, TypeError):
        return "a file in it"
    return next((path for path in sorted(before.keys() | found.keys())
                 if before.get(path) != found.get(path)), "a file in it")


def _md5(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
