"""Stage configure: resolve defaults and overrides into one JSON file a stage, which DVC watches."""

from rich.console import Console

from hdm.config import STAGES, stage_settings
from hdm.files import read_json, write_json
from hdm.line import REGION, TEST_SET, Line
from hdm.stages.line_regions import resolved_region
from hdm.stages.test_sets import resolved_test_set


def run(line: Line, console: Console) -> None:
    """Write data/<line>/config/<stage>.json; a file whose content is the same is left alone.

    That of ingest also says which frozen test set it takes, with its digest, so that a change of
    the set reruns it; that of dagm_fit likewise which region of the picture is inspected. Raises
    ConfigError if there is no such set, or the region is none.
    """
    for stage in STAGES:
        file, content = line.settings_file(stage), stage_settings(line.params, stage)
        if stage == "ingest" and line.entry.test_set:
            content[TEST_SET] = resolved_test_set(line)
        if stage == "dagm_fit" and (region := resolved_region(line)):
            content[REGION] = region
        if not file.exists() or read_json(file) != content:
            write_json(file, content)
