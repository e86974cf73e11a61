"""The page of all lines: what is to be looked at comes first, and no escape is in order."""

import re

import pytest

from hdm.evaluation.stopped_parts import count_stopped
from hdm.monitoring.line_page import VersionRow
from hdm.monitoring.plant_page import STATES, LineRow, render_plant


def counted(missed: int):
    """Ten dents, of which `missed` escape; one false alarm of ten good parts."""
    rows = [{"label": 1, "defect_type": "dent", "group": f"d{n}",
             "decision": "good" if n < missed else "defect"} for n in range(10)]
    rows += [{"label": 0, "defect_type": "good", "group": f"g{n}",
              "decision": "good" if n else "defect"} for n in range(10)]
    return count_stopped(rows, 0.95)


def champion(missed: int = 1) -> VersionRow:
    return VersionRow(2, "2026-01-01 08:00", "promote", (), ("champion",), 0.9, None,
                      ("2026-01-01 08:00 to 2026-01-02 08:00", "2026-01-03 08:00 to now"),
                      counted(missed))


def row(name: str = "plate", **over) -> LineRow:
    return LineRow(**{"line": name, "description": "", "page": f"{name}/page/index.html",
                      "champion": champion(), "last": {"action": "promote", "version": "2"},
                      **over})


@pytest.mark.parametrize(("over", "state"), [
    ({}, "in order"),
    ({"last": {}}, "in order"),
    ({"last": {"action": "hold"}}, "to look at"),
    ({"last": {"action": "refuse"}}, "to look at"),
    ({"last": {"action": "rollback"}}, "in order"),
    ({"monitor": {"state": "drift"}}, "to look at"),
    ({"monitor": {"state": "steady"}}, "in order"),
    ({"champion": champion(missed=5)}, "in order"),
    ({"champion": champion(missed=6)}, "to look at"),
    ({"champion": None, "last": {}, "page": ""}, "to be trained"),
    ({"champion": None, "last": {"action": "refuse"}}, "to look at")])
def test_what_a_line_asks_of_a_person(over, state) -> None:
    assert row(**over).state == state


def test_the_most_urgent_come_first_and_are_counted() -> None:
    text = render_plant([
        row("a"), row("b", champion=None, last={}, page=""),
        row("c", monitor={"state": "drift", "sentence": "c has become darker.", "time": "now"}),
        row("d", last={"action": "hold", "version": "3", "by": "Ada"})])
    found = re.findall(r'<th scope="row">(?:<a [^>]*>)?(\w)', text)
    assert found == ["c", "d", "b", "a"]
    assert "4 lines: 2 to look at, 1 to be trained, 1 in order." in text
    assert "c has become darker." in text and "hold version 3 by Ada" in text
    assert text.count("<code>hdm run b</code>") == 1


def test_a_line_is_named_with_what_serves_and_what_it_stops() -> None:
    assert row().cells == (("version 2", "since 2026-01-03 08:00"), ("0.900", ""),
                           ("90 %", "9 of 10"), ("10 %", "1 of 10"))
    assert row(champion=None).cells == (("none", ""), *[("–", "")] * 3)
    text = render_plant([row()])
    assert '<a href="plate/page/index.html">plate</a>' in text
    assert "1 line: 0 to look at" in text


def test_more_escapes_than_stops_are_marked_and_texts_are_escaped() -> None:
    text = render_plant([row("x", champion=champion(missed=9), description="Left <door>")])
    assert '<td class="wrong">10 %<br><small>1 of 10</small></td>' in text
    assert "Left &lt;door&gt;" in text and "<script" not in text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text)


def test_an_empty_plant_has_a_page() -> None:
    assert "0 lines" in render_plant([])
    assert len(STATES) == 3


def test_where_costs_are_stated_mistakes_have_a_price() -> None:
    # 1 % defective, of which 10 % escape at 500 each; of the others 10 % are stopped at 2 each.
    priced = row("b", costs=(500.0, 2.0, 0.01))
    assert priced.cost == f"{1000 * (0.01 * 0.1 * 500 + 0.99 * 0.1 * 2):,.0f}" == "698"
    assert row().cost == row(champion=None, costs=(500.0, 2.0, 0.01)).cost == ""
    assert "cost of 1,000 parts" not in render_plant([row()])
    text = render_plant([row("a"), priced])
    assert "cost of 1,000 parts" in text and "<td>698</td>" in text and "<td>–</td>" in text
