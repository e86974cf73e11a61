"""Setting one key of a line in pipelines.yaml; everything else stays as it was typed."""

import tempfile
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from hdm.errors import ConfigError
from hdm.files import write_text
from hdm.line import Line

FILE = "pipelines.yaml"


def set_key(project: Path, line: str, keys: Sequence[str], value: Any) -> None:
    """Write `lines.<line>.<keys joined by dots>`; nothing is written unless the result is valid
    (ConfigError)."""
    before = (project / FILE).read_text(encoding="utf-8")
    text = with_key(before, line, keys, value)
    if text != before:
        write_checked(project, line, text)


def write_checked(project: Path, line: str, text: str) -> None:
    """Write pipelines.yaml, if the line can be loaded from it; raises ConfigError if not."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / FILE).write_text(text, encoding="utf-8")
        (Path(folder) / "params.yaml").write_bytes((project / "params.yaml").read_bytes())
        Line.load(line, Path(folder))
    write_text(project / FILE, text)


def with_key(text: str, line: str, keys: Sequence[str], value: Any) -> str:
    """The text of pipelines.yaml with one key of one line set, and the mappings around it made."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    content = yaml.load(text)
    place = content["lines"][line]
    # Never at the end: blank lines and comments before the next line belong to the last key.
    position = list(place).index("source")
    for number, key in enumerate(keys):
        last = number == len(keys) - 1
        if place.get(key) is None or last:
            made = value if last else CommentedMap()
            if key in place:
                place[key] = made
            else:
                place.insert(position, key, made)
        place, position = place[key], 0
        if not last and not isinstance(place, dict):
            raise ConfigError(f"{FILE}: lines.{line}.{'.'.join(keys[:number + 1])}: expected a "
                              f"mapping of keys, found {str(place)[:40]!r}.")
    out = StringIO()
    yaml.dump(content, out)
    return out.getvalue()
