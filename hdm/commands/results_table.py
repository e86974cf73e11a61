"""The tables of `hdm run` and `hdm results`: what a line's model is worth."""

from rich.markup import escape
from rich.table import Column, Table

from hdm.console import Console
from hdm.evaluation.detection import Detection, Stopped, detection_rows
from hdm.evaluation.percent import percent
from hdm.orchestration.line_result import LineResult
from hdm.orchestration.line_summary import NOTHING
from hdm.terminal import say

WIDTH = 124


def print_results(found: list[LineResult]) -> None:
    """A row a line; red where a defect escapes."""
    table = Table(Column("line", overflow="fold"), "version", *(
        Column(name, justify="right") for name in ("image AUROC", "pixel AUROC")), *(
        Column(name, justify="right", no_wrap=True) for name in ("recall", "false alarms")),
        Column("threshold", justify="right"), "last training")
    for line in found:
        told = line.detection
        table.add_row(escape(line.line), line.version or NOTHING,
                      line.show("image_auroc"), line.show("pixel_auroc"),
                      _cell(told.defects, told.defects.passed) if told else NOTHING,
                      _cell(told.good, told.good.parts_stopped) if told else NOTHING,
                      line.show("threshold"), line.last or NOTHING)
    _wide().print(table)
    for line in found:
        if line.detection and (said := _remark(line.detection)):
            say(f"{line.line}: {said}")
        if line.note:
            say(f"note: {line.note}")


def print_by_type(line: LineResult) -> None:
    """A row a type of defect, then all and the good parts; nothing before an evaluation."""
    if line.detection is None:
        return
    table = Table("defect type", *(Column(name, justify="right") for name in (
        "stopped", "share", f"{percent(line.detection.coverage)} interval", "undecidable",
        "image AUROC")))
    rows = detection_rows(line.detection, line.aurocs, line.figures.get("image_auroc"))
    kinds = [*line.detection.types, line.detection.defects]
    for (name, counts, share, *rest), kind in zip(rows, [*kinds, None], strict=True):
        mistakes = line.detection.good.parts_stopped if kind is None else kind.passed
        table.add_row(escape(name), counts, _coloured(share, mistakes), *rest)
    _wide().print(table)


def _cell(kind: Stopped, mistakes: int) -> str:
    """Share with counts, and the interval below."""
    if not kind.parts:
        return NOTHING
    return f"{_coloured(kind.rate(), mistakes)}, {kind.parts_stopped:,} of {kind.parts:,}\n" \
           f"{kind.bounds()}"


def _coloured(share: str, mistakes: int) -> str:
    return f"[{'red' if mistakes else 'green'}]{share}[/]" if share != NOTHING else share


def _remark(found: Detection) -> str:
    """The worst type of defect where one escapes, and what could not be decided."""
    said = []
    if found.worst is not None and found.worst.passed and len(found.types) > 1:
        said.append(f"the worst type of defect is {found.worst.kind}, {found.worst.counts()} "
                    "stopped")
    if found.undecidable.parts_stopped:
        unsure = found.undecidable
        said.append(f"{unsure.parts_stopped:,} parts are stopped as undecidable")
    return "; ".join(said)


def _wide() -> Console:
    """Narrow or absent terminals must not cut the numbers."""
    return Console(width=max(Console().width, WIDTH))
