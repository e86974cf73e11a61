"""A new DVC version of a line's images, where they are inside the project."""

from pathlib import Path

from ruamel.yaml import YAML, YAMLError

from hdm import git
from hdm.config import load_pipelines
from hdm.errors import ConfigError, HDMError
from hdm.line import Line
from hdm.orchestration import child_process


def refuse_drawn(line: Line) -> None:
    """Raise ConfigError for a sample line: its images are an output of the stage samples."""
    if line.name in load_pipelines(line.project).sample_lines:
        raise ConfigError(f"the images of {line.name} are drawn by `hdm samples`, which would "
                          "throw new ones away; take images into a line of your own, or take it "
                          "out of sample_lines in pipelines.yaml.")


def new_version(line: Line) -> str:
    """`dvc add` the line's source; returns its hash.

    '' where DVC does not keep it: outside the project, or where git ignores its .dvc file.
    Raises HDMError with what DVC said.
    """
    pointer = line.source.with_name(f"{line.source.name}.dvc")
    if not line.source.is_relative_to(line.project) or git.ignored(line.project, pointer):
        return ""
    command = child_process.dvc("add", str(line.source))
    with child_process.running(command, line.project, capture=True) as process:
        said = list(child_process.lines(process))
        code = process.wait()
    if code:
        why = next((text.removeprefix("ERROR: ") for text in said if text.startswith("ERROR: ")),
                   f"it ended with exit code {code}")
        raise HDMError(f"the images are in {line.source}, but DVC did not make a version of it: "
                       f"{why.rstrip('.')}; mend that and run `hdm inbox {line.name}` again.")
    return _hash(pointer)


def _hash(pointer: Path) -> str:
    try:
        content = YAML(typ="safe", pure=True).load(pointer.read_text(encoding="utf-8"))
        return str(content["outs"][0]["md5"])
    except (OSError, YAMLError, KeyError, IndexError, TypeError):
        return ""
