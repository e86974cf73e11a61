"""dvc.lock after a line was renamed or removed: what DVC recorded of its stages goes along or away.

A stage's results follow from its settings, its images and the code, and not from the line's name,
so DVC may go on to skip them. The file is changed as text, as reading and writing it whole takes
seconds a hundred lines; DVC's own lock is held meanwhile, so that the stage of another line that
ends at this moment is not lost.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from hdm.errors import HDMError
from hdm.files import write_text
from hdm.orchestration.dvc_lock import HEAD, NAME, STAGE, keep_whole, whole


class Content(NamedTuple):
    """What a file holds, as DVC records it: MD5 and bytes."""

    md5: str
    size: int


def rename_stages(project: Path, old: str, new: str,
                  changed: Mapping[str, tuple[str, Content]]) -> None:
    """Give the stages of `old` to `new`; done before, nothing happens.

    The stage that draws a sample line is left out. changed: files whose text names the line, by
    their new path: MD5 before, and what they hold now. Raises HDMError if it cannot be written.
    """
    def one(match: re.Match[str]) -> str:
        text = match[0]
        if match["line"] == old:
            if match["stage"] == "samples":
                return ""
            text = text.replace(f"  {match['stage']}@{old}:\n", f"  {match['stage']}@{new}:\n", 1)
            text = text.replace(f"path: data/.stores/{old}.json\n",
                                f"path: data/.stores/{new}.json\n")
            text = re.sub(rf"^(    cmd: .* ){re.escape(old)}$", rf"\g<1>{new}", text, count=1,
                          flags=re.MULTILINE)
            text = re.sub(rf"^( +lines\.){re.escape(old)}:$", rf"\g<1>{new}:", text,
                          flags=re.MULTILINE)
        # Also in other lines, which may read its images.
        text = re.sub(rf"^( +(?:- )?(?:path|inbox): ['\"]?data/){re.escape(old)}(?=/|['\"]?$)",
                      rf"\g<1>{new}", text, flags=re.MULTILINE)
        for path, (before, now) in changed.items():
            text = re.sub(
                rf"(path: {re.escape(path)}\n +hash: md5\n +md5: ){before}\n( +size: )\d+",
                rf"\g<1>{now.md5}\n\g<2>{now.size}", text)
        return text

    _change(project, lambda text: STAGE.sub(one, text))


def remove_stages(project: Path, line: str) -> None:
    """Take the stages of `line` out; done before, nothing happens. Raises HDMError."""
    _change(project, lambda text: STAGE.sub(
        lambda match: "" if match["line"] == line else match[0], text))


def stages_text(project: Path, line: str) -> str:
    """What DVC recorded of the line's stages, as a dvc.lock of their own; '' where nothing is."""
    file = project / NAME
    found = [match[0] for match in STAGE.finditer(file.read_text(encoding="utf-8"))
             if match["line"] == line] if file.is_file() else []
    return "".join([HEAD, *found]) if found else ""


def _change(project: Path, how: Callable[[str], str]) -> None:
    file = project / NAME
    if not file.is_file():
        return
    with _locked(project):
        keep_whole(project)
        before = file.read_text(encoding="utf-8")
        after = how(before)
        if not STAGE.search(after):
            after = after.replace("stages:\n", "stages: {}\n", 1)
        if after != before:
            if not whole(after.encode()):
                raise HDMError(f"{file} is not written as DVC writes it, so the line's stages "
                               "cannot be changed in it; run `dvc repro`, which writes it anew, "
                               "then the same command again.")
            write_text(file, after)
        keep_whole(project)


@contextmanager
def _locked(project: Path) -> Iterator[None]:
    """Hold DVC's lock on the project, waiting for it as `dvc --wait-for-lock` does."""
    if not (project / ".dvc").is_dir():
        yield
        return
    from dvc.lock import make_lock  # late: it takes a second
    from dvc.repo import Repo

    with Repo(str(project)) as repo:
        lock = make_lock(str(Path(repo.tmp_dir) / "lock"), tmp_dir=repo.tmp_dir, wait=True,
                         hardlink_lock=repo.config["core"].get("hardlink_lock", False))
        with lock:
            yield
