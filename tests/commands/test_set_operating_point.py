"""`hdm operating-point`: the rule in pipelines.yaml, with a reason in the decision log."""

import json

import pytest

from hdm.line import Line


def test_without_a_rule_the_present_one_is_shown(project, hdm):
    found = hdm("operating-point", "plates")
    assert (found.code, found.out) == (
        0, "plates: the threshold is set for false alarms on 5 % of good parts\n")
    assert not (project / "data").exists()


def test_a_rate_is_written_beside_what_was_typed_and_its_reason_is_kept(project, hdm, monkeypatch):
    monkeypatch.setenv("HDM_ACTOR", "ann")
    before = (project / "pipelines.yaml").read_text()
    found = hdm("operating-point", "plates", "--false-alarms", "0.02", "--why", "too many stops")
    assert found.code == 0, found.err
    assert "false alarms on 2 % of good parts" in found.out
    assert "nothing is trained" in found.out
    after = (project / "pipelines.yaml").read_text()
    assert [row for row in before.splitlines() if row not in after.splitlines()] == []
    assert Line.load("plates").params.evaluate.operating_point.false_alarm_rate == 0.02
    [entry] = map(json.loads, (project / "data/plates/decisions.jsonl").read_text().splitlines())
    assert (entry["action"], entry["by"], entry["why"]) == (
        "operating point", "ann", "too many stops")
    assert entry["rule"]["false_alarm_rate"] == 0.02


def test_a_rate_takes_the_place_of_costs_wherever_they_were_stated(project, hdm):
    (project / "params.yaml").write_text("evaluate: {operating_point: {escape_cost: 9, "
                                         "false_reject_cost: 1, defect_rate: 0.1}}\n")
    for line in ("plates", "meshes"):
        hdm("operating-point", line, "--escape-cost", "50", "--false-reject-cost", "2",
            "--defect-rate", "0.01", "--why", "new contract")
        assert Line.load(line).params.evaluate.operating_point.costs == (50, 2, 0.01)
        hdm("operating-point", line, "--false-alarms", "0.1", "--why", "back")
        rule = Line.load(line).params.evaluate.operating_point
        assert (rule.costs, rule.false_alarm_rate) == (None, 0.1)


@pytest.mark.parametrize(("words", "sentence"), [
    (("--false-alarms", "0.02"), "expected --why"),
    (("--false-alarms", "0.02", "--escape-cost", "3", "--why", "x"), "received both"),
    (("--false-alarms", "1.5", "--why", "x"), "less than 1"),
    (("--escape-cost", "3", "--why", "x"), "given together"),
])
def test_what_makes_no_sense_changes_nothing(project, hdm, words, sentence):
    before = (project / "pipelines.yaml").read_bytes()
    found = hdm("operating-point", "plates", *words)
    assert found.code == 2
    assert found.err.startswith("error: ")
    assert sentence in found.err
    assert (project / "pipelines.yaml").read_bytes() == before
    assert not (project / "data").exists()
