"""What bears a line's name in the project's folders, and what others have of it."""

from pathlib import Path

from hdm.config import load_pipelines
from hdm.dataset.region_file import read_region
from hdm.errors import ConfigError
from hdm.line import Line


def belongings(line: Line) -> list[Path]:
    """Files and folders of the line that are there: the data first, then what git tracks.

    Raises ConfigError if its region cannot be read.
    """
    region = read_region(line.region_file)
    masks = [line.region_file.with_name(region.mask)] if region and region.mask else []
    found = [line.folder, line.frozen_folder, line.feedback, line.region_file, *masks]
    return [path for path in found if path.exists() or path.is_symlink()]


def shown(line: Line, paths: list[Path]) -> str:
    """Paths as text, relative to the project."""
    return ", ".join(path.relative_to(line.project).as_posix() for path in paths)


def inside(line: Line, path: Path | None) -> bool:
    """Whether a path lies in the line's own folder."""
    return path is not None and path.is_relative_to(line.folder)


def readers_of(line: Line) -> list[str]:
    """Other lines whose images lie in this line's folder."""
    lines = load_pipelines(line.project).lines
    return [name for name in lines if name != line.name
            and inside(line, Line.load(name, line.project).source)]


def is_sample(line: Line) -> bool:
    """Whether `hdm samples` draws its images."""
    return line.name in load_pipelines(line.project).sample_lines


def check_free(line: Line, name: str) -> None:
    """Raise ConfigError unless `name` may name another line of the project: no line, file or folder
    has it."""
    project = line.project
    taken = [place for place in (project / "data" / name, project / "test_sets" / name,
                                 project / "feedback" / name, project / "regions" / f"{name}.json")
             if place.exists() or place.is_symlink()]
    if name in load_pipelines(project).lines:
        raise ConfigError(f"the line {name!r} exists already; choose another name.")
    if name == "all":
        raise ConfigError("a line cannot be named 'all', which means every line.")
    if taken:
        raise ConfigError(f"expected nothing of a line {name!r} in the project, found "
                          f"{shown(line, taken)}; move that away or choose another name.")
