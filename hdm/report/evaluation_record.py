"""What `mlflow.models.evaluate` leaves of an evaluation, under the names that it uses: a table with
one row a picture, ROC and precision-recall curves, and the confusion matrix at the threshold.

MLflow's evaluation view shows the tables of several runs side by side, joined by picture.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hdm.drawing.curve_pictures import confusion_picture, pr_picture, roc_picture
from hdm.evaluation.curves import image_pr, image_roc
from hdm.stage_run import StageRun

if TYPE_CHECKING:
    import pandas as pd

TABLE = "eval_results_table.json"
ROC, PR, CONFUSION = ("roc_curve_plot.png", "precision_recall_curve_plot.png",
                      "confusion_matrix.png")
TRUTHS, ANSWERS = ("good", "defect"), ("good", "defect", "undecidable")


def log_evaluation(run: StageRun, scores: "pd.DataFrame", metrics: Mapping[str, float | None]
                   ) -> None:
    """Log the table and those of the pictures that there can be.

    scores: what evaluate wrote, a row a picture. metrics: of the same evaluation.
    """
    table = results_table(scores, metrics.get("threshold"))
    run.log_table(TABLE.removesuffix(".json"), table.to_dict("records"))
    run.log_figure(CONFUSION, confusion_picture(counted(table)))
    labels, values = scores["label"].to_numpy(), scores["score"].to_numpy()
    roc, pr = image_roc(labels, values), image_pr(labels, values)
    alarms, recall = metrics.get("image_false_alarm_rate"), metrics.get("image_recall")
    precision = metrics.get("precision")
    if len(roc):
        run.log_figure(ROC, roc_picture(roc, metrics.get("image_auroc"),
                                        _point(alarms, recall)))
    if len(pr):
        run.log_figure(PR, pr_picture(pr, metrics.get("image_ap"), _point(recall, precision)))


def results_table(scores: "pd.DataFrame", threshold: float | None) -> "pd.DataFrame":
    """One row a test picture: what it is, what the model answered, and why."""
    table = scores[["path"]].copy()
    table["prediction"] = scores["decision"]  # second: what MLflow compares runs by
    table["target"] = scores["label"].map(dict(enumerate(TRUTHS)))
    table["correct"] = (table["prediction"] != "good") == (table["target"] != "good")
    table["defect_type"], table["part"] = scores["defect_type"], scores["group"]
    for name in ("score", "p_value", "probability"):
        table[name] = scores[name].astype(float)
    table["threshold"] = threshold
    table["reasons"] = scores["reasons"]
    return table


def counted(table: "pd.DataFrame") -> "pd.DataFrame":
    """Pictures by what they are (rows) and what was answered (columns); no undecidable, no column.
    """
    import pandas as pd

    counts = pd.crosstab(table["target"], table["prediction"])
    counts = counts.reindex(index=list(TRUTHS), columns=list(ANSWERS), fill_value=0)
    return counts if counts["undecidable"].any() else counts.drop(columns="undecidable")


def _point(x: float | None, y: float | None) -> tuple[float, float] | None:
    return None if x is None or y is None else (x, y)
