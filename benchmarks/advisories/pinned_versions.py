"""Which pinned versions a known advisory is about, by files in the OSV schema."""

import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version


class Finding(NamedTuple):
    """A pinned version that an advisory is about."""

    pin: str
    advisory: str
    summary: str


def pins(text: str) -> dict[str, Version]:
    """Name -> version of the lines name==version; comments and hashes are left out."""
    found = [Requirement(line.split("\\")[0]) for line in text.splitlines()
             if line and line[0] not in "#- "]
    return {canonicalize_name(one.name): Version(next(iter(one.specifier)).version)
            for one in found}


def advisories(path: Path) -> Iterator[dict[str, Any]]:
    """Those in an OSV file (one, or a list of them), in a folder of such files, or in a ZIP archive
    of them as the ecosystem's dump is. Raises ValueError for other content."""
    if path.is_dir():
        for file in sorted(path.rglob("*.json")):
            yield from advisories(file)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield from _parsed(archive.read(name), f"{path}/{name}")
    else:
        yield from _parsed(path.read_bytes(), str(path))


def findings(pinned: dict[str, Version], known: Iterable[dict[str, Any]]) -> list[Finding]:
    """Pinned versions that an advisory is about and that was not withdrawn, sorted."""
    return sorted({Finding(f"{name}=={pinned[name]}", one["id"], one.get("summary", ""))
                   for one in known if not one.get("withdrawn")
                   for affected in one.get("affected", [])
                   if (name := _name(affected)) in pinned and _about(affected, pinned[name])})


def _parsed(content: bytes, where: str) -> list[dict[str, Any]]:
    found = json.loads(content)
    listed = found if isinstance(found, list) else [found]
    if not all(isinstance(one, dict) and "id" in one for one in listed):
        raise ValueError(f"expected OSV advisories in {where}, found something else")
    return listed


def _name(affected: dict[str, Any]) -> str:
    package = affected.get("package", {})
    return canonicalize_name(package.get("name", "")) if package.get("ecosystem") == "PyPI" else ""


def _about(affected: dict[str, Any], version: Version) -> bool:
    if any(version == named for named in map(_version, affected.get("versions", []))):
        return True
    return any(_within(found["events"], version) for found in affected.get("ranges", [])
               if found.get("type") in ("ECOSYSTEM", "SEMVER"))


def _within(events: list[dict[str, str]], version: Version) -> bool:
    """Whether the last event at or before the version leaves it affected."""
    inside = False
    order = [(_version(text), kind) for event in events for kind, text in event.items()]
    for at, kind in sorted((at, kind) for at, kind in order if at is not None):
        if kind == "introduced" and version >= at:
            inside = True
        elif (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
            inside = False
    return inside


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
