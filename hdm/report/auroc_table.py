"""What the terminal shows of an evaluation."""

from rich.markup import escape
from rich.table import Table

from hdm.evaluation.detection import Stopped
from hdm.evaluation.evaluation import Evaluation
from hdm.evaluation.percent import fraction


def auroc_table(line: str, evaluation: Evaluation) -> Table:
    """AUROC and what is stopped, by defect type and for all; red where a defect escapes."""
    table = Table(title=f"{line}: test AUROC", title_justify="left")
    table.add_column("defect type")
    for column in ("image AUROC", "pixel AUROC", "AUPRO", "stopped", "recall"):
        table.add_column(column, justify="right")
    found, metrics = evaluation.detection, evaluation.metrics
    for row, kind in zip(evaluation.by_type.to_dict("records"), found.types, strict=True):
        table.add_row(escape(kind.kind), fraction(row["image_auroc"]),
                      fraction(row["pixel_auroc"]), fraction(row["aupro"]), *_caught(kind))
    table.add_section()
    table.add_row("all", fraction(metrics["image_auroc"]), fraction(metrics["pixel_auroc"]),
                  fraction(metrics["aupro"]), *_caught(found.defects))
    unsure = found.undecidable.parts_stopped
    table.caption = (
        f"parts; threshold {metrics['threshold']:.4g}; recall "
        f"{found.defects.bounds() or 'unknown'}; "
        f"false alarms: {found.good.counts('good parts')}, {found.good.rate()} "
        f"({found.good.bounds()})" + (f"; {unsure} parts undecidable" if unsure else ""))
    return table


def _caught(kind: Stopped) -> tuple[str, str]:
    colour = "red" if kind.passed else "green" if kind.parts else "none"
    return f"{kind.parts_stopped:,} of {kind.parts:,}", f"[{colour}]{kind.rate()}[/]"
