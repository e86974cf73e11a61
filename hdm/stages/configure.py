"""Stage configure: resolve defaults and overrides into one JSON file a stage, which DVC watches."""

from rich.console import Console

from hdm.config import STAGES, stage_settings
from hdm.files import read_json, write_json
from hdm.line import FEEDBACK, TEST_SET, Line
from hdm.stages.feedback_inputs import resolved_feedback
from hdm.stages.test_sets import resolved_test_set


def run(line: Line, console: Console) -> None:
    """Write data/<line>/config/<stage>.json; a file whose content is the same is left alone.

    That of ingest also says which frozen test set it takes, with its digest, so that a change of
    the set reruns it; that of ddm_train what people said. Raises ConfigError if there is no such
    set.
    """
    for stage in STAGES:
        file, content = line.settings_file(stage), stage_settings(line.params, stage)
        if stage == "ingest" and line.entry.test_set:
            content[TEST_SET] = resolved_test_set(line)
        if stage == "ddm_train" and (said := resolved_feedback(line)):
            content[FEEDBACK] = said
        if not file.exists() or read_json(file) != content:
            write_json(file, content)
