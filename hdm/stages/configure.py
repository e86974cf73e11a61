"""Stage configure: resolve defaults and overrides into one JSON file a stage, which DVC watches."""

from typing import Any

from rich.console import Console

from hdm.config import STAGES, stage_settings
from hdm.files import read_json, write_json
from hdm.line import FEEDBACK, REGION, SOURCE, TEST_SET, Line


def run(line: Line, console: Console) -> None:
    """Write data/<line>/config/<stage>.json; a file whose content is the same is left alone.

    That of ingest also says which frozen test set it takes, with its digest, and what a person has
    said of the source, so that a change of either reruns it; that of dagm_fit likewise which region
    of the picture is inspected, and that of ddm_train what people said of pictures. Raises
    ConfigError if there is no such set, or the region is none.
    """
    for stage in STAGES:
        file = line.settings_file(stage)
        content = stage_settings(line.params, stage) | _resolved(line, stage)
        if not file.exists() or read_json(file) != content:
            write_json(file, content)


def _resolved(line: Line, stage: str) -> dict[str, Any]:
    """What a stage takes beside its settings. Imported late: torch and pandas, 2 s of a start,
    for which a line without any of it does not wait."""
    if stage == "ingest":
        told = _told_of_source(line)
        content: dict[str, Any] = {SOURCE: told} if told else {}
        if line.entry.test_set:
            from hdm.stages.test_sets import resolved_test_set

            content[TEST_SET] = resolved_test_set(line)
        return content
    if stage == "dagm_fit" and line.region_file.exists():
        from hdm.stages.line_regions import resolved_region

        return {REGION: resolved_region(line)}
    if stage == "ddm_train" and any(line.feedback.glob("*.json")):
        from hdm.stages.feedback_inputs import resolved_feedback

        return {FEEDBACK: resolved_feedback(line)}
    return {}


def _told_of_source(line: Line) -> dict[str, Any]:
    """Answers to what the source itself does not tell: of folders, columns and parts."""
    return line.entry.source.model_dump(include={"columns", "folders", "part_rule"},
                                        exclude_defaults=True)
