"""Adding an entry to pipelines.yaml without losing its comments."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import get_args

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from hdm.config import check_line_name, load_params, load_pipelines
from hdm.errors import ConfigError
from hdm.orchestration.pipelines_file import write_checked
from hdm.pipelines import Column, Role, Source
from hdm.registry.renamed_line import removed_since

FILE = "pipelines.yaml"
COLUMNS, ROLES = get_args(Column), get_args(Role)


@dataclass(frozen=True)
class NewLine:
    """What the user gave; `source` is relative to the current folder, as on any command line."""

    name: str
    source: str
    format: str = "auto"
    description: str = ""
    owner: str = ""
    folders: dict[str, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    part_rule: str = ""
    preset: str = ""

    def stored_source(self, project: Path) -> str:
        """The path as pipelines.yaml keeps it: relative to the project unless given absolute."""
        return self.source if Path(self.source).is_absolute() else \
            Path(os.path.relpath(Path.cwd() / self.source, project)).as_posix()


def name_of(source: str) -> str:
    """A line's name from that of its source."""
    return re.sub(r"[^a-z0-9]+", "_", Path(source).stem.lower()).strip("_")


def roles(options: Sequence[str]) -> dict[str, str]:
    """`PATH=ROLE` options as a mapping; raises ConfigError for any other text."""
    found = {path.strip("/"): role for path, _, role in
             (option.rpartition("=") for option in options)}
    if "" in found or not set(found.values()) <= set(ROLES):
        raise ConfigError(f"--folder {' '.join(options)!r}: expected PATH=ROLE, the role one of "
                          f"{', '.join(ROLES)}.")
    return found


def columns(options: Sequence[str]) -> dict[str, str]:
    """`OURS=THEIRS` options as a mapping; raises ConfigError for any other text."""
    found = {ours: theirs for ours, _, theirs in (option.partition("=") for option in options)}
    unknown = sorted(set(found) - set(COLUMNS))
    if unknown or not all("=" in option for option in options):
        raise ConfigError(f"--column {' '.join(options)!r}: expected OURS=THEIRS, ours one of "
                          f"{', '.join(COLUMNS)}; nothing after = where there is none.")
    return found


def preview(line: NewLine, project: Path) -> list[str]:
    """Check name and source, and say in sentences what the source seems to be, and why.

    Raises ConfigError for a bad or taken name, DataError for a source that cannot be used.
    """
    check_line_name(line.name)
    taken = load_pipelines(project).lines
    if line.name in taken or line.name == "all":
        raise ConfigError(f"the line {line.name!r} exists already; choose another name or edit "
                          f"its entry in {FILE}." if line.name in taken else
                          "a line cannot be named 'all', which means every line.")
    if said := removed_since(project, line.name):
        raise ConfigError(f"the registry keeps the models of a line {line.name!r} that was removed "
                          f"({said}), and the new line would answer with them; choose another "
                          "name.")
    # Not at the top: it imports pandas, and only adding a line needs it.
    from hdm.dataset.aside import told
    from hdm.dataset.manifest import GOOD
    from hdm.ingest.part_names import with_parts
    from hdm.ingest.readers import READERS, detect, read_source

    if line.format not in ("auto", *READERS):
        raise ConfigError(f"unknown format {line.format!r}; expected auto, {', '.join(READERS)}.")
    if line.part_rule and "{part}" not in line.part_rule:
        raise ConfigError(f"--part-rule {line.part_rule!r}: expected {{part}} where the part's "
                          "name stands, such as {part}_cam*.")
    check_preset(line.preset, project)
    source = Path.cwd() / line.source
    settings = Source.model_validate(
        {"path": line.source, "format": line.format, "folders": line.folders,
         "columns": line.columns, "part_rule": line.part_rule})
    layout, why = detect(source) if line.format == "auto" else \
        (line.format, READERS[line.format].fits(source))
    found = read_source(source, settings)
    kinds = Counter(record.defect_type for record in found.records)
    masks = sum(bool(record.masks or record.regions) for record in found.records if record.label)
    counted = ", ".join(f"{kind} {kinds[kind]}"
                        for kind in sorted(kinds, key=lambda kind: (kind != GOOD, kind)))
    return [f"{source}: layout {layout}, as there is {why}",
            f"{len(found.records)} images: {counted}; {masks} defect images have a mask",
            *found.notes, *with_parts(found.records, settings.part_rule)[1], *told(found.aside)]


def check_preset(preset: str, project: Path) -> None:
    """Raise ConfigError for a preset that params.yaml does not have; "" is its own."""
    presets = load_params(project).presets
    if preset and preset not in presets:
        raise ConfigError(f"--preset {preset!r}: expected one of {', '.join(presets)}.")


def add(line: NewLine, project: Path) -> None:
    """Write the entry at the end of `lines`; nothing is written unless the result is valid."""
    text = extended((project / FILE).read_text(encoding="utf-8"), line, project)
    write_checked(project, line.name, text)


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
    for key in ("folders", "columns"):
        if value := getattr(line, key):
            entry["source"][key] = CommentedMap(value)
    if line.part_rule:
        entry["source"]["part_rule"] = DoubleQuotedScalarString(line.part_rule)
    entry["source"].fa.set_flow_style()
    if line.preset:
        entry["overrides"] = CommentedMap(preset=line.preset)
        entry["overrides"].fa.set_flow_style()
    lines[line.name] = entry
    if len(lines) > 1:
        lines.yaml_set_comment_before_after_key(line.name, before="\n")
    out = StringIO()
    yaml.dump(content, out)
    return out.getvalue()
