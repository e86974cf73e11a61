"""The files of a registered version, each with its SHA-256: as `SHA256SUMS` in the model's folder,
whose own hash is a tag of the version. Anybody can check them: `sha256sum --check SHA256SUMS`.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from hdm.errors import RegistryError
from hdm.registry.detector_files import fingerprint
from hdm.registry.local_model import detector_in
from hdm.registry.model_versions import FINGERPRINT

SUMS, BILL = "SHA256SUMS", "sbom.cdx.json"
SUMS_TAG = "hdm.sha256sums"
WRITTEN_LATER = "registered_model_meta"
"""MLflow writes it anew wherever it fetches a version; nothing of ours reads it."""
PYTHONS_OWN = "__pycache__"
"""Python's compiled copies, which it leaves beside code that was run. Ours is run without reading
them (see `logged_model.without_compiled_copies`)."""


def file_hashes(folder: Path) -> dict[str, str]:
    """Path below `folder` -> SHA-256, of every file that is registered; a link has the hash ""."""
    return {path.relative_to(folder).as_posix(): _hash(path)
            for path in sorted(folder.rglob("*"))
            if (path.is_symlink() or not path.is_dir()) and PYTHONS_OWN not in path.parts
            and path.relative_to(folder) not in (Path(SUMS), Path(WRITTEN_LATER))}


def write_sums(file: Path, hashes: Mapping[str, str]) -> str:
    """Write `hashes` as sha256sum does; returns the hash of that file, for the version's tag."""
    file.write_text("".join(f"{digest}  {path}\n" for path, digest in sorted(hashes.items())),
                    encoding="utf-8")
    return _hash(file)


def checked(folder: Path, tags: Mapping[str, str], model: str, version: str) -> Path:
    """The detector folder inside a version's files, all of which are as they were registered.

    Raises RegistryError that names the first file that is missing, changed, or was added, or the
    tag that is.
    """
    cure = ("from a backup, or put another version in service with `hdm rollback "
            f"{model.removeprefix('hdm-')} --to VERSION`.")
    problem = _problem(folder, tags)
    if problem:
        raise RegistryError(f"the files of {model} version {version} are not those that were "
                            f"registered: {problem}; restore them {cure}")
    detector = detector_in(folder)
    if detector is None:
        raise RegistryError(f"{model} version {version} holds no detector folder.")
    if tags.get(FINGERPRINT) != fingerprint(detector):
        raise RegistryError(f"the tag {FINGERPRINT} of {model} version {version} is not that of "
                            "its detector, so it was changed or removed; restore the registry "
                            f"{cure}")
    return detector


def _problem(folder: Path, tags: Mapping[str, str]) -> str:
    """What is wrong, or ""."""
    wanted, sums = tags.get(SUMS_TAG), folder / SUMS
    if not wanted:
        return f"nothing says which they were, as the tag {SUMS_TAG} is missing"
    if sums.is_symlink() or not sums.is_file():
        return f"{SUMS} is missing"
    content = sums.read_bytes()
    if hashlib.sha256(content).hexdigest() != wanted:
        return f"{SUMS} is not the file that the tag {SUMS_TAG} names"
    known = {path: digest for digest, path in
             (line.split("  ", 1) for line in content.decode().splitlines())}
    found = file_hashes(folder)
    for path in sorted(known.keys() | found.keys()):
        if known.get(path) != found.get(path):
            return f"{path} " + ("is missing" if path not in found else
                                 "was added" if path not in known else "was changed")
    return ""


def _hash(file: Path) -> str:
    if file.is_symlink() or not file.is_file():
        return ""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
