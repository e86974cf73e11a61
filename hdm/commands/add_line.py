"""Adding an entry to pipelines.yaml without losing its comments."""

import os
import tempfile
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from hdm.config import check_line_name, load_pipelines
from hdm.errors import ConfigError
from hdm.files import write_text
from hdm.line import Line

FILE = "pipelines.yaml"


@dataclass(frozen=True)
class NewLine:
    """What the user gave; `source` is relative to the current folder, as on any command line."""

    name: str
    source: str
    format: str = "auto"
    description: str = ""
    owner: str = ""

    def stored_source(self, project: Path) -> str:
        """The path as pipelines.yaml keeps it: relative to the project unless given absolute."""
        return self.source if Path(self.source).is_absolute() else \
            Path(os.path.relpath(Path.cwd() / self.source, project)).as_posix()


def preview(line: NewLine, project: Path) -> str:
    """Check name and source, and say in one line what the source seems to be.

    Raises ConfigError for a bad or taken name, DataError for a source that cannot be used.
    """
    check_line_name(line.name)
    taken = load_pipelines(project).lines
    if line.name in taken or line.name == "all":
        raise ConfigError(f"the line {line.name!r} exists already; choose another name or edit "
                          f"its entry in {FILE}." if line.name in taken else
                          "a line cannot be named 'all', which means every line.")
    # Not at the top: it imports pandas, and only adding a line needs it.
    from hdm.ingest.readers import READERS, detect, read_source

    if line.format not in ("auto", *READERS):
        raise ConfigError(f"unknown format {line.format!r}; expected auto, {', '.join(READERS)}.")
    source = Path.cwd() / line.source
    records = read_source(source, line.format)
    layout = detect(source) if line.format == "auto" else line.format
    defects = sorted({record.defect_type for record in records if record.label})
    good = sum(1 - record.label for record in records)
    return (f"{source}: layout {layout}, {len(records)} images, {good} of them good, "
            f"{len(defects)} kinds of defect ({', '.join(defects[:8]) or 'none'})")


def add(line: NewLine, project: Path) -> None:
    """Write the entry at the end of `lines`; nothing is written unless the result is valid."""
    text = extended((project / FILE).read_text(encoding="utf-8"), line, project)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / FILE).write_text(text, encoding="utf-8")
        (Path(folder) / "params.yaml").write_bytes((project / "params.yaml").read_bytes())
        Line.load(line.name, Path(folder))
    write_text(project / FILE, text)


def extended(text: str, line: NewLine, project: Path) -> str:
    """The text of pipelines.yaml with one more line; what was there stays as it was typed."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    content = yaml.load(text)
    lines = content.get("lines")
    if not lines:
        lines = content["lines"] = CommentedMap()
    entry = CommentedMap()
    for key in ("description", "owner"):
        if value := getattr(line, key):
            entry[key] = value
    entry["source"] = CommentedMap(path=line.stored_source(project), format=line.format)
    entry["source"].fa.set_flow_style()
    lines[line.name] = entry
    if len(lines) > 1:
        lines.yaml_set_comment_before_after_key(line.name, before="\n")
    out = StringIO()
    yaml.dump(content, out)
    return out.getvalue()
