"""Stage configure: resolve defaults and overrides into one JSON file a stage, which DVC watches."""

from typing import Any

from rich.console import Console

from hdm.config import STAGES, stage_settings
from hdm.files import read_json, write_json
from hdm.line import SOURCE, TEST_SET, Line
from hdm.stages.test_sets import resolved_test_set


def run(line: Line, console: Console) -> None:
    """Write data/<line>/config/<stage>.json; a file whose content is the same is left alone.

    That of ingest also says which frozen test set it takes, with its digest, and what a person has
    said of the source, so that a change of either reruns it. Raises ConfigError if there is no such
    set.
    """
    for stage in STAGES:
        file, content = line.settings_file(stage), stage_settings(line.params, stage)
        if stage == "ingest" and line.entry.test_set:
            content[TEST_SET] = resolved_test_set(line)
        if stage == "ingest" and (told := _told_of_source(line)):
            content[SOURCE] = told
        if not file.exists() or read_json(file) != content:
            write_json(file, content)


def _told_of_source(line: Line) -> dict[str, Any]:
    """Answers to what the source itself does not tell: of folders, columns and parts."""
    return line.entry.source.model_dump(include={"columns", "folders", "part_rule"},
                                        exclude_defaults=True)
