"""The machine: Python's packages, the backbone's weights, programs, processors, disk."""

import os
import platform
import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from hdm.doctor.finding import Finding, asked
from hdm.errors import HDMError
from hdm.line import Line

PINS = "requirements.txt"
PROGRAMS = ("git", "dvc", "mlflow", "prefect")
SPARE = 2**30
"""Bytes that are left beside what a retraining writes."""


def look(project: Path, lines: list[Line]) -> Iterator[Finding]:
    """Findings about the machine, for these lines."""
    yield _packages(project)
    if any(line.params.dagm_fit.backbone != "none" for line in lines):
        yield asked("backbone", _weights)
    yield asked("programs", _programs)
    yield _processors(lines)
    yield asked("disk", lambda: disk(project, lines))


def _programs() -> str:
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        raise HDMError(f"{', '.join(missing)} not found; activate the environment "
                       "(`. .venv/bin/activate`) or install what is missing.")
    return f"{', '.join(PROGRAMS)} are there."


def _packages(project: Path) -> Finding:
    python, other, absent = platform.python_version(), [], []
    pins = list(_pins(project / PINS))
    for name, wanted in pins:
        try:
            found = version(name)
        except PackageNotFoundError:
            absent.append(name)
            continue
        if found.split("+")[0] != wanted:
            other.append(f"{name} {found} instead of {wanted}")
    if absent:
        return Finding("packages", "problem",
                       f"{', '.join(absent)} not installed; run `make setup`.")
    if other:
        return Finding("packages", "note", f"Python {python}; {', '.join(other)}: results are "
                       "measured with the pinned ones; `make setup` installs them.")
    return Finding("packages", "ok", f"Python {python}, {len(pins)} packages as pinned in {PINS}."
                   if pins else f"Python {python}; there is no {PINS} to compare with.")


def _pins(file: Path) -> Iterator[tuple[str, str]]:
    """Name and version of each line name==version that is for this machine."""
    for row in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
        try:
            pin = Requirement(row.split("#")[0].strip())
        except InvalidRequirement:  # an option, or nothing
            continue
        exact = [part.version for part in pin.specifier if part.operator == "=="]
        if exact and (pin.marker is None or pin.marker.evaluate()):
            yield pin.name, exact[0].split("+")[0]


def _weights() -> str:
    from hdm.backbone.weights import DISTRIBUTION, published_weights

    published_weights()
    return f"the weights of {DISTRIBUTION} are the ones that are known, by their SHA-256."


def _processors(lines: list[Line]) -> Finding:
    cores = os.cpu_count() or 1
    greedy = [line.name for line in lines if line.params.compute.threads > cores]
    if greedy:
        return Finding("processors", "note", f"{cores} cores, and {', '.join(greedy)} ask for more "
                       "threads (compute.threads), which slows them down.")
    return Finding("processors", "ok", f"{cores} cores.")


def disk(project: Path, lines: list[Line]) -> str:
    """A stage's folder is written whole beside the one that it replaces."""
    sizes = {line.name: _size(line.folder) for line in lines}
    largest = max(sizes, key=lambda name: sizes[name], default="")
    needed = (sizes[largest] if largest else 0) + SPARE
    free = shutil.disk_usage(project).free
    if free < needed:
        raise HDMError(f"{free / 2**30:.1f} GiB are free where a retraining may "
                       f"need {needed / 2**30:.1f}; free some: `hdm prune {largest or 'LINE'}` "
                       "deletes old versions, `dvc gc --workspace` old data.")
    return f"{free / 2**30:.0f} GiB are free; the largest line has {needed / 2**30 - 1:.1f}."


def _size(folder: Path) -> int:
    try:
        return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file())
    except OSError as error:
        raise HDMError(f"{folder} cannot be read ({error.strerror}); make it readable."
                       ) from None
