"""The simulations in small, and what counts as not holding."""

import numpy as np
import pytest

from benchmarks.guarantees import __main__ as command
from benchmarks.guarantees import simulated_parts
from hdm.files import read_json


@pytest.mark.parametrize(("pictures", "correlation"), [(1, 0.0), (4, 0.0), (4, 0.5), (8, 1.0)])
def test_the_true_rate_of_parts_is_what_draws_give(pictures, correlation):
    drawn = simulated_parts.drawn(np.random.default_rng(0), 100_000, pictures, correlation)[0]
    found = (drawn.max(axis=1) > 1.5).mean()
    assert simulated_parts.part_rate(1.5, pictures, correlation) == pytest.approx(found, abs=0.005)


@pytest.mark.parametrize(("hits", "at_least", "holds"), [
    (50, False, True), (65, False, True), (120, False, False), (20, False, True),
    (20, True, False), (120, True, True)])
def test_more_than_chance_explains_does_not_hold(hits, at_least, holds):
    found = simulated_parts.share_row(hits, 1_000)
    row = simulated_parts.row("case", "figure", 0.05, found, 1_000, at_least=at_least)
    assert row["holds"] is holds


@pytest.mark.parametrize("name", ["stated", "cost", "joined", "monitor"])
def test_each_simulation_holds_in_small(name, tmp_path, capsys, monkeypatch):
    for module, cut in ((command.stated_rates, {"PARTS": (10,), "PICTURES": (1, 4)}),
                        (command.year_of_looks, {"PARTS": 60, "CASES": ((2, 0.5, True),)})):
        for key, value in cut.items():
            monkeypatch.setattr(module, key, value)
    assert command.main(["--runs", "12", "--only", name, "--out", str(tmp_path)]) == 0
    rows = read_json(tmp_path / "guarantees.json")[name]
    assert rows and all(row["low"] <= row["true"] <= row["high"] for row in rows)
    assert command.SIMULATIONS[name].TITLE in (tmp_path / "guarantees.md").read_text()
    assert rows[0]["case"] in capsys.readouterr().out
