"""Stage configure: resolve defaults and overrides into one JSON file a stage, which DVC watches."""

from typing import Any

from rich.console import Console

from hdm.config import STAGES, stage_settings
from hdm.files import read_json, write_json
from hdm.line import FEEDBACK, REGION, SOURCE, TEST_SET, Line
from hdm.stages.feedback_inputs import resolved_feedback
from hdm.stages.line_regions import resolved_region
from hdm.stages.test_sets import resolved_test_set


def run(line: Line, console: Console) -> None:
    """Write data/<line>/config/<stage>.json; a file whose content is the same is left alone.

    That of ingest also says which frozen test set it takes, with its digest, and what a person has
    said of the source, so that a change of either reruns it; that of dagm_fit likewise which region
    of the picture is inspected, and that of ddm_train what people said of pictures. Raises
    ConfigError if there is no such set, or the region is none.
    """
    for stage in STAGES:
        file, content = line.settings_file(stage), stage_settings(line.params, stage)
        if stage == "ingest" and line.entry.test_set:
            content[TEST_SET] = resolved_test_set(line)
        if stage == "dagm_fit" and (region := resolved_region(line)):
            content[REGION] = region
        if stage == "ddm_train" and (said := resolved_feedback(line)):
            content[FEEDBACK] = said
        if stage == "ingest" and (told := _told_of_source(line)):
            content[SOURCE] = told
        if not file.exists() or read_json(file) != content:
            write_json(file, content)


def _told_of_source(line: Line) -> dict[str, Any]:
    """Answers to what the source itself does not tell: of folders, columns and parts."""
    return line.entry.source.model_dump(include={"columns", "folders", "part_rule"},
                                        exclude_defaults=True)
