"""`hdm monitor`: look once whether a line has changed since its model was calibrated."""

from typing import Any

from rich.table import Table

from hdm.alarms.telling import tell
from hdm.commands.json_output import AsJson, print_json
from hdm.commands.line_name import LineName
from hdm.console import Console
from hdm.line import Line
from hdm.monitoring.drift_check import PAGE, check_line
from hdm.monitoring.drift_page import table_row


def monitor(
    line: LineName,
    as_json: AsJson = False,
) -> None:
    """Look for drift in the logged predictions of the live model, and write a page of trends."""
    chosen = Line.load(line)
    console = Console(width=100)
    page = chosen.monitor_folder / PAGE
    if as_json:
        found = check_line(chosen)
        print_json(found | {"told": tell(chosen, found, page)})
        return
    with console.status("reading the log"):
        found = check_line(chosen)
    if found["streams"]:
        console.print(table(found))
    console.print(found["sentence"], markup=False, highlight=False, soft_wrap=True)
    if found["doubt"]:
        console.print(found["doubt"], markup=False, highlight=False, soft_wrap=True)
    for sentence in tell(chosen, found, page):
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    console.print(f"page: {page}", markup=False, highlight=False, soft_wrap=True)


def table(found: dict[str, Any]) -> Table:
    """The streams of a record."""
    shown = Table("figure", "now", "calibration", "strongest evidence", "alarm at", "finding")
    for stream in found["streams"]:
        row = table_row(stream)
        shown.add_row(row["name"], row["now"], row["expected"], row["evidence"], row["limit"],
                      row["says"])
    return shown
