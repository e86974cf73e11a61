"""MLflow: whether the store answers, holds its own files, and serves what was registered."""

from collections.abc import Iterator
from pathlib import Path

from hdm.doctor.finding import Finding, asked, broken
from hdm.errors import HDMError
from hdm.line import Line
from hdm.registry.address import (
    check_reachable,
    sqlite_file,
    tracking_off,
    tracking_uri,
    without_password,
)
from hdm.registry.artifact_root import check_own
from hdm.registry.fetch import check_version, live_version


def look(project: Path, lines: list[Line]) -> Iterator[Finding]:
    """Findings about the store, and about each line's champion where the store answers."""
    if tracking_off():
        yield Finding("MLflow", "note", "HDM_TRACKING is off: nothing is registered.")
        return
    uri = tracking_uri(project)
    file = sqlite_file(uri)
    if file is not None and not file.is_file():
        yield Finding("MLflow", "ok", f"there is no {file.name} yet; the first run makes it.")
        return
    store = asked("MLflow", lambda: _store(uri))
    yield store
    for line in lines if store.state == "ok" else ():
        yield _champion(line)


def _store(uri: str) -> str:
    check_reachable(uri)
    check_own(uri)
    return f"{without_password(uri)} answers."


def _champion(line: Line) -> Finding:
    try:
        version = live_version(line)
        if version is None:
            return Finding(line.model_name, "note", "no version serves yet; `hdm run "
                           f"{line.name}` trains one, `hdm history {line.name}` lists what waits.")
        check_version(line, version)
    except HDMError as error:
        return broken(line.model_name, error)
    return Finding(line.model_name, "ok", f"version {version} serves, and its files are those that "
                   "were registered.")
