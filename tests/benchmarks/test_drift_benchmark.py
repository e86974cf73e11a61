"""The benchmark in small: the stated rate holds, and drift is found."""

import pytest

from benchmarks.drift import __main__ as command
from benchmarks.drift.simulation import COST, Case, Drift
from hdm.files import read_json


@pytest.mark.parametrize("case", [
    Case(normals=20, images=300), Case(normals=60, images=300),
    Case(normals=40, images=300, stated=False), Case(normals=40, images=300, rule=COST)])
def test_undrifted_lines_raise_alarms_no_oftener_than_stated(case: Case) -> None:
    found = command.false_alarms(case, 0.1, 80)
    assert found["low"] <= 0.1
    assert found["share"] <= 0.1


def test_a_drift_that_begins_late_is_found() -> None:
    found = command.delays("dark", Drift("brightness", shift=-2.0, begin=200), 10)
    assert (found["early"], found["found"]) == (0, 1.0)
    assert found["median"] < 30


def test_both_files_are_written(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(command, "UNDRIFTED", [(Case(images=50), 0.1)])
    monkeypatch.setattr(command, "DRIFTS", [("dark", Drift(shift=-3.0))])
    monkeypatch.setattr(command, "HORIZON", 60)
    monkeypatch.setattr(command, "AFTER", 20)
    assert command.main(["--monitors", "4", "--drifted", "3", "--processes", "1",
                         "--out", str(tmp_path)]) == 0
    content = read_json(tmp_path / "drift.json")
    assert [row["begin"] for row in content["delays"]] == [0, 20]
    assert "| dark | -3 | 20 |" in (tmp_path / "drift.md").read_text()
