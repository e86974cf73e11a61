"""Stage configure: resolve defaults and overrides into one JSON file a stage, which DVC watches."""

from rich.console import Console

from hdm.config import STAGES, stage_settings
from hdm.files import read_json, write_json
from hdm.line import Line


def run(line: Line, console: Console) -> None:
    """Write data/<line>/config/<stage>.json; a file whose content is the same is left alone."""
    for stage in STAGES:
        file, content = line.settings_file(stage), stage_settings(line.params, stage)
        if not file.exists() or read_json(file) != content:
            write_json(file, content)
