"""Home's pages: what each shows. What they compute is in the modules that they call."""

from pathlib import Path

from fastapi.responses import HTMLResponse

from hdm.dataset.manifest import GOOD, Manifest
from hdm.errors import HDMError
from hdm.evaluation.detection import DETECTION_COLUMNS
from hdm.evaluation.percent import percent
from hdm.home import orders, seen_pictures
from hdm.home.frame import framed
from hdm.home.inbox_list import inbox_list
from hdm.home.judged_tests import chosen, judged_tests, views
from hdm.home.lines_at_hand import LinesAtHand
from hdm.home.operating_steps import OperatingStep, nearest, operating_steps, stated_rate
from hdm.home.registry_at_hand import gate_said, history_of, rows_of
from hdm.home.version_files import version_files
from hdm.home.version_pair import version_pair
from hdm.line import Line
from hdm.monitoring.line_page import auroc_text, versions_chart
from hdm.monitoring.plant_page import STATES
from hdm.registry.history import champion_of, versions
from hdm.registry.version_report import version_report
from hdm.serving.secured_page import still

PAGE = 24
"""Pictures on a page."""


def plant_page(lines: LinesAtHand) -> HTMLResponse:
    """All lines, what is to be looked at first."""
    rows = rows_of([lines(name) for name in lines.names()])
    order = sorted(rows, key=lambda row: (STATES.index(row.state), row.line))
    return framed("plant.html.j2", rows=order, counts={
        state: sum(row.state == state for row in rows) for state in STATES})


def overview_page(line: Line) -> HTMLResponse:
    """A line: what serves, what it stops, its versions and decisions."""
    page = history_of(line)
    return framed("overview.html.j2", line.name, page=page, columns=DETECTION_COLUMNS,
                  auroc=auroc_text, chart=versions_chart(page.versions),
                  trends=f"/{line.name}/drift",
                  last=orders.last(line), said=gate_said(line))


def pictures_page(line: Line, version: int | None, view: str, page: int) -> HTMLResponse:
    """Test pictures of a version, by default the champion's, and of the newest if there is none."""
    found = versions(line)
    if not found:
        return _nothing(line, "pictures")
    files = version_files(line, version or (champion_of(found) or found[0]).version)
    judged = judged_tests(files)
    titles = views(judged)
    view = view if view in titles else "wrong"
    mine = chosen(judged, view)
    pages = max(1, -(-len(mine) // PAGE))
    page = min(page, pages)
    return framed("pictures.html.j2", line.name, "pictures", files=files, views=titles, view=view,
                  found=mine[(page - 1) * PAGE:page * PAGE], total=len(mine), page=page,
                  pages=pages, versions=found)


def look_page(line: Line, version: int, path: str) -> HTMLResponse:
    """One test picture."""
    files = version_files(line, version)
    judged = judged_tests(files)
    one = next((one for one in judged if one.path == path), None)
    if one is None:
        raise HDMError(f"version {version} of {line.name} was not measured on {path[:200]!r}.")
    return framed("look.html.j2", line.name, "pictures", one=one, files=files,
                  versions=versions(line))


def compare_page(line: Line, first: int | None, second: int | None) -> HTMLResponse:
    """Two versions; by default the champion and the newest other one."""
    found = versions(line)
    if len(found) < 2:
        return framed("nothing.html.j2", line.name, "compare", sentence=(
            f"{line.name} has {len(found)} version{'' if len(found) == 1 else 's'}; there is "
            "something to compare once a second one is made."))
    serves = champion_of(found)
    left = first or (serves.version if serves else found[1].version)
    right = second or next(one.version for one in found if one.version != left)
    pair = version_pair(version_files(line, left), version_files(line, right))
    return framed("compare.html.j2", line.name, "compare", pair=pair, versions=found,
                  most=PAGE, said=gate_said(line))


def threshold_page(line: Line) -> HTMLResponse:
    """What another threshold would do with the newest version."""
    found = versions(line)
    if not found:
        return _nothing(line, "threshold")
    files = version_files(line, found[0].version)
    steps = operating_steps(files)
    rule = line.params.evaluate.operating_point
    told = [_shown_step(step) for step in steps]
    serves = champion_of(found)
    return framed("threshold.html.j2", line.name, "threshold", files=files, steps=told,
                  now=nearest(steps, files.point.threshold), rule=rule,
                  other=serves.version if serves and serves.version != found[0].version else
                  None)


def _shown_step(step: OperatingStep) -> dict[str, object]:
    """As the page's script reads it."""
    return {"threshold": round(step.threshold, 4), "rate": stated_rate(step),
             "promise": percent(step.rate), "expected": percent(step.expected),
             "escaped": step.defects.passed, "defects": step.defects.parts,
             "stopped": step.defects.parts_stopped, "recall": step.defects.rate(),
             "recall_bounds": step.defects.bounds(),
             "false_alarms": step.good.parts_stopped, "good": step.good.parts,
             "false_alarm_rate": step.good.rate(), "false_alarm_bounds": step.good.bounds(),
             "worst": f"{step.worst.kind}: {step.worst.counts()}"
            if step.worst and step.worst.passed else "",
             "escape_share": 1 - (step.defects.share or 0), "alarm_share": step.good.share or 0}


def seen_page(line: Line, view: str) -> HTMLResponse:
    """What the model judged lately."""
    titles = seen_pictures.VIEWS
    view = view if view in titles else "stopped"
    return framed("seen.html.j2", line.name, "seen", views=titles, view=view, kinds=_kinds(line),
                  found=seen_pictures.seen_pictures(line, view), most=seen_pictures.SHOWN)


def inbox_page(line: Line) -> HTMLResponse:
    """What waits to join the line."""
    return framed("inbox.html.j2", line.name, "inbox", inbox=inbox_list(line),
                  kinds=_kinds(line), folder=line.inbox)


def report_page(line: Line, version: int) -> HTMLResponse:
    """A version's evaluation report."""
    return _document(version_report(line, version_files(line, version).record))


def drift_page(line: Line) -> HTMLResponse:
    """The trends that the last look for drift drew."""
    return _document(line.monitor_folder / "index.html")


def _nothing(line: Line, tab: str) -> HTMLResponse:
    return framed("nothing.html.j2", line.name, tab, sentence=(
        f"{line.name} has no version yet; train it on the page Overview."))


def _document(file: Path) -> HTMLResponse:
    try:
        return still(file.read_text(encoding="utf-8"))
    except OSError:
        raise HDMError("there is no such page yet: nobody has looked for drift.") from None


def _kinds(line: Line) -> list[str]:
    """Names of defects that the line knows."""
    if not line.manifest_file.is_file():
        return []
    frame = Manifest.load(line.manifest_file, line.source_root).frame
    return sorted(set(frame["defect_type"]) - {GOOD, ""})
