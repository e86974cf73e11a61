"""Setting one key of a line in pipelines.yaml; everything else stays as it was typed."""

import tempfile
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from hdm.files import write_text
from hdm.line import Line

FILE = "pipelines.yaml"


def set_key(project: Path, line: str, key: str, value: Any) -> None:
    """Write `lines.<line>.<key>`; nothing is written unless the result is valid (ConfigError)."""
    before = (project / FILE).read_text(encoding="utf-8")
    text = with_key(before, line, key, value)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / FILE).write_text(text, encoding="utf-8")
        (Path(folder) / "params.yaml").write_bytes((project / "params.yaml").read_bytes())
        Line.load(line, Path(folder))
    if text != before:
        write_text(project / FILE, text)


def with_key(text: str, line: str, key: str, value: Any) -> str:
    """The text of pipelines.yaml with one key of one line set."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    content = yaml.load(text)
    entry = content["lines"][line]
    if key in entry:
        entry[key] = value
    else:
        # Not at the end: blank lines and comments before the next line belong to the last key.
        entry.insert(list(entry).index("source"), key, value)
    out = StringIO()
    yaml.dump(content, out)
    return out.getvalue()
