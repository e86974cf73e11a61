"""What is stopped at the threshold, as tables of the report."""

import pandas as pd

from hdm.evaluation.detection import Stopped
from hdm.evaluation.evaluation import Evaluation
from hdm.evaluation.percent import MISSING, fraction, percent
from hdm.report.page import Table
from hdm.report.wording import wrong_or_right


def stopped_table(evaluation: Evaluation) -> Table:
    """Truth down, decision across: parts, and pictures where a part has several."""
    found, counted = evaluation.detection, evaluation.confusion
    several = (found.good.images, found.defects.images) != (found.good.parts, found.defects.parts)
    rows = [_parts("good parts", found.good), _parts("defective parts", found.defects)]
    verdicts = [wrong_or_right(found.good.parts_stopped, found.good.parts),
                wrong_or_right(found.defects.passed, found.defects.parts)]
    if several:
        rows += [_images("good pictures", found.good), _images("defective pictures", found.defects)]
        verdicts += ["", ""]
    return Table("", ("", "wrong", "passed", "stopped", "of these undecidable", "all"),
                 tuple(rows),
                 f"F1 {fraction(counted.f1.value)}, precision "
                 f"{percent(counted.precision.value)}, recall {percent(counted.recall.value)} by "
                 "picture. A part is stopped if any of its pictures is.", tuple(verdicts))


def _parts(name: str, kind: Stopped) -> tuple[str, ...]:
    wrong = kind.parts_stopped if name.startswith("good") else kind.passed
    return (name, f"{wrong:,}", f"{kind.passed:,}", f"{kind.parts_stopped:,}",
            f"{kind.parts_undecidable:,}", f"{kind.parts:,}")


def _images(name: str, kind: Stopped) -> tuple[str, ...]:
    passed = kind.images - kind.images_stopped
    wrong = kind.images_stopped if name.startswith("good") else passed
    return (name, f"{wrong:,}", f"{passed:,}", f"{kind.images_stopped:,}",
            f"{kind.images_undecidable:,}", f"{kind.images:,}")


def type_table(by_type: pd.DataFrame, coverage: float) -> Table | None:
    """One row a defect type, intervals on a second line of their cells."""
    if by_type.empty:
        return None

    def ranged(row: dict, name: str) -> str:
        if pd.isna(row[name]):
            return MISSING
        low, high = row[f"{name}_low"], row[f"{name}_high"]
        if pd.isna(low) or low == high:
            return fraction(row[name])
        return f"{fraction(row[name])}\n{fraction(low)} to {fraction(high)}"

    records = by_type.to_dict("records")
    rows = tuple((row["defect_type"], f"{percent(row['recall'])}\n{percent(row['recall_low'])} to "
                  f"{percent(row['recall_high'])}", f"{row['stopped']:,} of {row['parts']:,}",
                  f"{row['undecidable']:,}", f"{row['images_stopped']:,} of {row['images']:,}",
                  ranged(row, "image_auroc"), ranged(row, "pixel_auroc"), fraction(row["aupro"]))
                 for row in records)
    unmasked = int((by_type["images"] - by_type["masks"]).sum())
    note = (f"AUROC of each type against all good test images; below the values, "
            f"{coverage * 100:g} % intervals: exact for the recall, which counts parts, by "
            "bootstrap over parts for AUROC.")
    if unmasked:
        note += f" {unmasked} defective images have no mask and take no part in pixel figures."
    return Table("", ("type", "recall", "stopped parts", "undecidable", "stopped pictures",
                      "image AUROC", "pixel AUROC", "AUPRO"), rows, note,
                 tuple(wrong_or_right(row["parts"] - row["stopped"], row["parts"])
                       for row in records))
