"""What MLflow's evaluation view shows of an evaluation."""

import io

import pandas as pd
import pytest
from PIL import Image

from hdm.report.evaluation_record import (
    CONFUSION,
    PR,
    ROC,
    TABLE,
    counted,
    log_evaluation,
    results_table,
)
from hdm.stage_run import NoRun

METRICS = {"threshold": 2.0, "image_auroc": 0.75, "image_ap": 0.8, "image_recall": 0.5,
           "image_false_alarm_rate": 0.0, "precision": 1.0}


class Heard(NoRun):
    """A run that keeps what it is told."""

    def __init__(self):
        self.tables, self.figures = {}, {}

    def log_table(self, name, rows):
        self.tables[f"{name}.json"] = rows

    def log_figure(self, name, figure):
        stream = io.BytesIO()
        figure.savefig(stream, format="png")
        self.figures[name] = Image.open(stream)


def scores(**columns) -> pd.DataFrame:
    return pd.DataFrame({
        "path": ["a.png", "b.png", "c.png", "d.png"], "label": [0, 0, 1, 1],
        "defect_type": ["good", "good", "dent", "dent"], "group": ["a", "b", "c", "d"],
        "score": [0.1, 1.0, 0.5, 3.0], "p_value": [0.9, 0.5, 0.8, 0.01],
        "probability": [0.1, 0.3, 0.2, 0.9], "decision": ["good", "good", "good", "defect"],
        "reasons": [""] * 4} | columns)


def test_a_row_a_picture_and_a_picture_a_curve():
    run = Heard()
    log_evaluation(run, scores(), METRICS)
    [*_, missed, found] = run.tables[TABLE]
    assert (missed["path"], missed["target"], missed["prediction"], missed["correct"]) == \
        ("c.png", "defect", "good", False)
    assert (found["correct"], found["threshold"], found["score"], found["part"]) == \
        (True, 2.0, 3.0, "d")
    assert set(run.figures) == {ROC, PR, CONFUSION}
    assert all(picture.width > 400 for picture in run.figures.values())


def test_a_stopped_picture_counts_as_found_whatever_stopped_it():
    table = results_table(scores(decision=["undecidable", "good", "undecidable", "defect"]), 2.0)
    assert table["correct"].tolist() == [False, True, True, True]
    assert counted(table).to_numpy().tolist() == [[1, 0, 1], [0, 1, 1]]
    assert list(counted(results_table(scores(), 2.0)).columns) == ["good", "defect"]


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_alone_has_counts_and_no_roc_curve(label):
    run = Heard()
    log_evaluation(run, scores(label=[label] * 4), {"threshold": 2.0, "image_auroc": None})
    assert CONFUSION in run.figures and ROC not in run.figures
    assert len(run.tables[TABLE]) == 4
