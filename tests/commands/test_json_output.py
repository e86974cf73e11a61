"""What commands show, they print for machines, too: one line of JSON that says the same."""

import json

import pytest

from hdm.dataset.frozen_set import write_frozen
from hdm.dataset.test_set import Entry
from hdm.files import write_json
from hdm.line import Line


def told(hdm, *words):
    found = hdm(*words, "--json")
    assert found.code == 0, found.err
    assert found.out.count("\n") == 1
    return json.loads(found.out)


def test_test_sets_and_the_one_that_is_used(hdm, project) -> None:
    assert told(hdm, "testset", "list", "plates") == []
    entries = [Entry("good/1.png", "a", 0, "good", ""), Entry("dent/1.png", "b", 1, "dent", "")]
    write_frozen(project / "test_sets/plates", "spring", entries)
    [found] = told(hdm, "testset", "list", "plates")
    assert (found["name"], found["good"], found["defective"], found["used"]) == (
        "spring", 1, 1, False)
    write_json(Line.load("plates").test_set_file, {"name": "test-1", "waiting": []})
    assert told(hdm, "testset", "show", "plates")["name"] == "test-1"


def test_regions(hdm, project) -> None:
    assert told(hdm, "region", "plates") == {}
    found = told(hdm, "region", "plates", "--polygon", "0.1,0.1 0.4,0.1 0.4,0.3")
    assert found["ignore"][0]["corners"] == [[0.1, 0.1], [0.4, 0.1], [0.4, 0.3]]


@pytest.mark.parametrize("words", [("feedback", "plates"), ("operating-point", "plates"),
                                   ("alarms", "plates")])
def test_lines_of_which_nothing_is_known_yet(hdm, project, words) -> None:
    assert told(hdm, *words) in ([], {}, {
        "false_alarm_rate": 0.05, "escape_cost": None, "false_reject_cost": None,
        "defect_rate": None})


def test_who_is_told_of_alarms_without_what_is_secret(hdm, project) -> None:
    (project / "alarms.yaml").write_text("webhook: {url: 'https://chat.example/secret/token'}\n")
    assert told(hdm, "alarms", "plates") == {
        "webhook": {"place": "https://chat.example/...", "told": 0}}
