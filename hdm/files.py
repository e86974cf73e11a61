"""Writing files so that nothing is ever half-written: temporary name first, then rename.

What is renamed is on the disk before, so that a loss of power leaves the old content or the new.
"""

import errno
import glob
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import get_native_id
from typing import Any, TypeVar

from hdm.errors import HDMError

Value = TypeVar("Value")
_fences: list[Callable[[], None]] = []


@contextmanager
def fenced(check: Callable[[], None]) -> Iterator[None]:
    """Inside, `check` is asked before anything gets its final name; what it raises prevents that.

    For those who write as long as something is theirs alone.
    """
    _fences.append(check)
    try:
        yield
    finally:
        _fences.remove(check)


@contextmanager
def atomic_file(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; it replaces `target` only if the block succeeds.

    Each thread has a path of its own: lines that are trained side by side write one dvc.lock.
    Raises HDMError when the disk is full or the folder cannot be written to.
    """
    temporary = target.with_name(f".{target.name}.{get_native_id()}.{os.getpid()}.tmp")
    try:
        make_folder(target.parent)
        _sweep(target)
        yield temporary
        sync(temporary)
        _ask_fences()
        temporary.replace(target)
        sync(target.parent)
    except OSError as error:
        raise cannot_write(target, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _sweep(target: Path) -> None:
    """Remove temporary files of `target` whose process was killed; living ones still write."""
    for left_over in target.parent.glob(f".{glob.escape(target.name)}.*.tmp"):
        process = left_over.name.split(".")[-2]
        if process.isdigit() and not _alive(int(process)):
            left_over.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Yield an empty temporary folder; it replaces the folder `target` only on success.

    What `target` held before is gone only once the new content is complete.
    Raises HDMError when the disk is full or the folder cannot be written to.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    retired = target.with_name(f".{target.name}.{os.getpid()}.old")
    try:
        # What a killed process left behind is nobody's any more: a line has one writer a stage.
        for earlier in target.parent.glob(f".{target.name}.*.old"):
            if not target.exists():  # killed between the two renames below
                earlier.rename(target)
        for left_over in target.parent.glob(f".{target.name}.*"):
            if left_over.suffix in (".tmp", ".old"):
                shutil.rmtree(left_over, ignore_errors=True)
        make_folder(target.parent)
        temporary.mkdir()
        yield temporary
        sync_tree(temporary)
        _ask_fences()
        if target.exists():
            target.rename(retired)
        try:
            temporary.rename(target)
        except OSError:
            if retired.exists():
                retired.rename(target)
            raise
        sync(target.parent)
    except OSError as error:
        raise cannot_write(target, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(retired, ignore_errors=True)


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk; what cannot be opened so is left to the system.

    Raises OSError if the disk reports an error.
    """
    try:
        number = os.open(path, os.O_RDONLY)
    except OSError:  # a link to nowhere, a file that nobody may read: nothing of ours
        return
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EROFS):
            raise  # some file systems know no such thing for folders
    finally:
        os.close(number)


def private_file(file: Path) -> None:
    """Make `file`, if need be, and let nobody but its owner read it, whatever the umask.

    Raises OSError.
    """
    file.touch(0o600)
    file.chmod(0o600)


def private_folder(folder: Path) -> None:
    """Make `folder`, if need be, and let nobody but its owner look into it, whatever the umask.

    Raises OSError.
    """
    folder.mkdir(0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


def sync_tree(folder: Path) -> None:
    """Wait until a folder and all in it are on the disk. Raises OSError."""
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)


def make_folder(folder: Path) -> None:
    """Make a folder with its parents; a loss of power does not take it away again.

    What is in a folder is only as safe as the folder's own name is. Raises OSError.
    """
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in missing:
        sync(one.parent)


def _ask_fences() -> None:
    for check in _fences:
        check()


def cannot_write(target: Path, error: OSError) -> HDMError:
    """The error to raise for an OSError met while writing `target`."""
    reason = error.strerror or str(error)
    return HDMError(
        f"cannot write {target}: {reason}. Free disk space or make the folder writable, "
        "then run the same command again; nothing was changed."
    )


def write_json(target: Path, content: Any) -> None:
    """Write `content` as sorted, indented JSON; refuses NaN, which JSON does not know."""
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_text(target, text + "\n")


def write_text(target: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_file(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def append_text(target: Path, text: str) -> None:
    """Append whole lines to a file and wait until they are on the disk.

    A last line that a crash cut off is ended first. Raises HDMError.
    """
    try:
        make_folder(target.parent)
        with target.open("ab+") as stream:
            new = not stream.tell()
            if not new:
                stream.seek(-1, os.SEEK_END)
                if stream.read(1) != b"\n":
                    text = "\n" + text
            stream.write(text.encode())
            stream.flush()
            os.fsync(stream.fileno())
        if new:
            sync(target.parent)
    except OSError as error:
        raise cannot_write(target, error) from error


def parse_json(text: str | bytes) -> Any:
    """What JSON from outside says; raises ValueError for anything else, and for what is nested so
    deeply that its reader gives up."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_json(source: Path) -> Any:
    """Read a JSON file; raises HDMError if it is missing or not JSON."""
    try:
        return parse_json(source.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise HDMError(f"expected the file {source}, which does not exist; run the stage "
                       "that makes it first (`dvc repro`).") from None
    except OSError as error:
        raise HDMError(f"cannot read {source}: {error.strerror or error}; make it a readable file, "
                       "or delete it and run `dvc repro`.") from None
    except ValueError as error:
        raise HDMError(f"{source} is not valid JSON ({error}); delete it and run `dvc repro`."
                       ) from None


def below(content: dict[str, Value], prefix: str) -> dict[str, Value]:
    """Of what a file holds by name, the part whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): value for name, value in content.items()
            if name.startswith(prefix)}
