"""What the terminal shows of an evaluation."""

from rich.table import Table

from hdm.evaluation.evaluation import Evaluation
from hdm.report.wording import fraction, percent


def auroc_table(line: str, evaluation: Evaluation) -> Table:
    """AUROC by defect type and for all."""
    table = Table(title=f"{line}: test AUROC", title_justify="left")
    table.add_column("defect type")
    for column in ("images", "image AUROC", "pixel AUROC", "AUPRO", "recall"):
        table.add_column(column, justify="right")
    for row in evaluation.by_type.to_dict("records"):
        table.add_row(row["defect_type"], str(row["images"]), fraction(row["image_auroc"]),
                      fraction(row["pixel_auroc"]), fraction(row["aupro"]),
                      percent(row["recall"]))
    metrics = evaluation.metrics
    table.add_section()
    table.add_row("all", str(metrics["defects"]), fraction(metrics["image_auroc"]),
                  fraction(metrics["pixel_auroc"]), fraction(metrics["aupro"]),
                  percent(metrics["recall"]))
    table.caption = (f"threshold {metrics['threshold']:.4g}; "
                     f"{metrics['false_positives']} false alarms on {metrics['good']} good images")
    return table
