"""Recall and false alarms are one measurement: `hdm results`, MLflow, report and page agree."""

import re
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import tiny
from gathered_page import gathered
from recorded_stages import record_outputs
from registry_lines import write_detector, write_images

from hdm.commands.results_table import print_by_type, print_results
from hdm.dataset.appearance import Appearance
from hdm.dataset.manifest import Manifest
from hdm.detector.calibration import Calibration
from hdm.evaluation.stopped_parts import clopper_pearson
from hdm.files import write_json
from hdm.monitoring.line_page import render
from hdm.orchestration.line_result import LineResult
from hdm.registry.gate import Packaged
from hdm.registry.tracking import stage_run
from hdm.stages import evaluate, register

LOOK = Appearance(0.0, 0.0, 0.0)


class Judge:
    """Two pictures a part; which pictures are stopped follows from their brightness."""

    calibration = Calibration((0.01, 0.5), (LOOK, LOOK), (0.05,), (1.0, 0.0), (1.0, 0.0))
    operating_point, info = None, {}

    def __init__(self, stopped):
        self.stopped, self.form = stopped, tiny.input_format()

    def with_operating_point(self, point):
        self.operating_point = point
        return self

    def predict(self, images, batch_size=16, progress=None):
        for image in images:
            number = int(image[0, 0]) % 40
            decision = self.stopped.get(number, "good")
            yield SimpleNamespace(
                score=1.0 if decision == "defect" else 0.01 * number, p_value=0.5, probability=0.5,
                decision=decision, reasons=(), threshold=0.5,
                anomaly_map=np.full(image.shape, 0.1, np.float32))


# 12 good pictures of 6 parts (numbers 0 to 11), 12 defective ones of 6 parts (12 to 23).
@pytest.mark.parametrize(("stopped", "recall", "alarms", "unsure"), [
    ({12: "defect", 13: "defect", 14: "defect", 16: "defect", 18: "defect", 3: "defect"},
     (4, 6), (1, 6), 0),
    (dict.fromkeys(range(12, 24), "defect"), (6, 6), (0, 6), 0),
    ({12: "undecidable", 14: "defect", 15: "undecidable", 0: "undecidable"}, (2, 6), (1, 6), 2)])
def test_all_four_say_the_same(line, client, console, fake_package, monkeypatch, capsys, stopped,
                               recall, alarms, unsure):
    import mlflow

    write_images(line)
    manifest = Manifest.load(line.manifest_file, line.source)
    rows = [row._replace(group=str(n // 2)) for n, row in enumerate(manifest)]
    Manifest.of(rows, line.source).save(line.manifest_file)
    write_json(line.test_set_file, {"name": "test-1", "frozen_as": None, "images": 24, "masks": 0,
                                    "defect_types": {"good": 12, "scratch": 12}})
    write_detector(line, 1.0)
    monkeypatch.setattr(evaluate, "HDM", type("Loader", (), {
        "load": staticmethod(lambda *_: Judge(stopped))}))
    monkeypatch.setattr(register, "check_packaged", lambda *_: Packaged(6, 0.0, 0, 1.0))
    with stage_run(line, "evaluate", {}) as run:
        evaluate.run(line, line.params, run, console)
    record_outputs(line.project, line.name)
    with stage_run(line, "register", {}) as run:
        register.run(line, line.params, run, console)
        made = run.run_id
    client.set_registered_model_alias("hdm-plate", "champion", "1")

    told = {"recall": recall, "false_alarm_rate": alarms}
    # MLflow: figures and table.
    metrics = client.get_run(made).data.metrics
    for name, (count, total) in told.items():
        low, high = clopper_pearson(count, total, 0.95)
        assert metrics[name] == pytest.approx(count / total)
        assert metrics[f"{name}_low"] == pytest.approx(low)
        assert metrics[f"{name}_high"] == pytest.approx(high)
    assert metrics["undecidable_parts"] == unsure
    # The other three show text: share, count and interval of each.
    print_results([LineResult.load(line)])
    print_by_type(LineResult.load(line))
    page = render(gathered(line, client, mlflow))
    report = (line.stage_folder("evaluate") / "report.html").read_text()
    for text in (capsys.readouterr().out, *map(partial(re.sub, r"<[^>]*>|\s+", " "),
                                               (page, report))):
        for count, total in told.values():
            for said in texts(count, total):
                assert said in text, said
    # Never the colour of a right answer where a defect escapes.
    assert ('<td class="right">100 %' in page) is (recall[0] == recall[1])
    assert ('class="value right">100 %' in report) is (recall[0] == recall[1])


def texts(count, total):
    from hdm.evaluation.percent import percent

    low, high = clopper_pearson(count, total, 0.95)
    return (f"{count} of {total}", percent(count / total), f"{percent(low)} to {percent(high)}")
