"""The ledger: atomic, forgiving, one file a line."""

import json

import pytest
from registry_lines import make_line

from hdm.errors import HDMError
from hdm.registry.ledger import (
    OPEN,
    RETRAIN,
    Link,
    edit_ledger,
    ledger_file,
    lock_folder,
    read_ledger,
    stage_links,
)


def test_what_is_written_is_read(tmp_path):
    line = make_line(tmp_path)
    with edit_ledger(line) as links:
        links["ingest"] = Link("run", "1@2")
    assert json.loads(ledger_file(line).read_text()) == {
        "ingest": {"run_id": "run", "store": "1@2"}}
    assert read_ledger(line) == {"ingest": Link("run", "1@2")}


def test_only_finished_stages_are_links(tmp_path):
    line = make_line(tmp_path)
    with edit_ledger(line) as links:
        links |= {RETRAIN: Link("a", "s"), OPEN + "evaluate": Link("b", "s"),
                  "ingest": Link("c", "s")}
    assert stage_links(line) == {"ingest": Link("c", "s")}


@pytest.mark.parametrize("content", ["", "{", "[]", "{\"ingest\": 3}", "{\"ingest\": {}}"])
def test_a_damaged_ledger_is_an_empty_one(tmp_path, content):
    line = make_line(tmp_path)
    line.folder.mkdir(parents=True)
    ledger_file(line).write_text(content)
    assert read_ledger(line) == {}


def test_a_failing_edit_changes_nothing(tmp_path):
    line = make_line(tmp_path)
    with edit_ledger(line) as links:
        links["ingest"] = Link("old", "s")
    with pytest.raises(ValueError, match="stop"), edit_ledger(line) as links:
        links["ingest"] = Link("new", "s")
        raise ValueError("stop")
    assert read_ledger(line)["ingest"].run_id == "old"


def test_a_project_that_cannot_be_written_to(tmp_path):
    (tmp_path / ".hdm").touch()
    with pytest.raises(HDMError, match="cannot create"):
        lock_folder(tmp_path)
