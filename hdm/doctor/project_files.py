"""The project's own files: settings, what is written from them, and each line's folders."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from hdm.doctor.finding import Finding, asked
from hdm.errors import ConfigError, DataError
from hdm.line import Line
from hdm.orchestration import prefect_yaml
from hdm.orchestration.dvc_lock import NAME, OF_THE_PROBE, probe_cut_off, whole


def look(project: Path, lines: list[Line], drawn: Collection[str]) -> Iterator[Finding]:
    """Findings about files; the settings of `lines` have been read. drawn: the sample lines."""
    yield asked("settings", lambda: _settings(project, lines))
    yield asked(NAME, lambda: _lock(project))
    for line in lines:
        if line.name in drawn and not line.source.exists():
            yield Finding(line.name, "ok", "its images are drawn by its first run.")
            continue
        yield asked(line.name, lambda line=line: _folders(line))  # type: ignore[misc]


def _settings(project: Path, lines: list[Line]) -> str:
    prefect_yaml.check(project)
    return f"params.yaml and pipelines.yaml hold; {len(lines)} lines; prefect.yaml belongs to them."


def _lock(project: Path) -> str:
    file = project / NAME
    if probe_cut_off(project):
        raise ConfigError(f"{OF_THE_PROBE} was cut off; delete it, or run any line, which does.")
    if not file.is_file():
        return "there is none yet; the first run writes it."
    if not whole(file.read_bytes()):
        raise ConfigError("it was cut off; run any line, which puts back the last whole one, or "
                          "say `git checkout dvc.lock`.")
    return "it is whole."


def _folders(line: Line) -> str:
    if not line.source.exists():
        raise DataError(f"its source {line.source} is not there; mount it, or correct source.path "
                        "in pipelines.yaml.")
    if not os.access(line.source, os.R_OK):
        raise DataError(f"its source {line.source} may not be read; give this user access.")
    inbox = line.inbox
    if inbox is not None and inbox.exists() and not os.access(inbox, os.R_OK | os.W_OK):
        raise DataError(f"its inbox {inbox} may not be read and written; give this user access.")
    target = next(folder for folder in (line.folder, *line.folder.parents) if folder.exists())
    if not os.access(target, os.W_OK):
        raise DataError(f"nothing may be written into {target}; give this user access.")
    return f"its source {line.source} can be read."
