"""Stage evaluate: predict the test split, measure, draw and write the report."""

from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from hdm.cluster.spreading import HERE
from hdm.dataset.ignore_mask import from_text
from hdm.dataset.manifest import Manifest
from hdm.detector.detector import HDM
from hdm.detector.operating_point import choose
from hdm.detector.promise import promise, stands_on_one
from hdm.evaluation.evaluation import Evaluation, evaluate
from hdm.evaluation.evaluation_files import (
    HEADLINE_FILE,
    headline,
    metric_rows,
    records,
    write_csv,
    write_evaluation,
)
from hdm.evaluation.feedback_scores import FEEDBACK_SCORES, rescored
from hdm.evaluation.inspected import inspected
from hdm.evaluation.predicting import predictions
from hdm.evaluation.sent_detector import SentDetector
from hdm.files import atomic_folder, read_json, write_json, write_text
from hdm.line import Line
from hdm.progress import progress_bar
from hdm.report.auroc_table import auroc_table
from hdm.report.background import background
from hdm.report.content import build, draw
from hdm.report.page import render
from hdm.settings import Params
from hdm.stage_run import StageRun


def run(line: Line, settings: Params, run: StageRun, console: Console) -> None:
    """Measure the line's detector on its test split and write data/<line>/evaluate/.

    The folder is replaced whole, or not at all.
    Raises HDMError where the detector, an image or a mask is missing or unusable.
    """
    compute, folder = settings.compute, line.stage_folder("evaluate")
    detector = HDM.load(line.detector_folder, compute.device, compute.precision, compute.threads)
    detector = detector.with_operating_point(
        choose(detector.calibration, settings.evaluate.operating_point))
    ignored = detector.form.ignored
    test, hidden = inspected(Manifest.load(line.manifest_file, line.source_root).split("test"),
                             ignored)
    # Scores mean something only beside the name of what they were measured on.
    test_set = {key: value for key, value in read_json(line.test_set_file).items()
                if key != "waiting"}
    cluster = line.params.compute.cluster
    judge = detector if cluster == HERE else \
        SentDetector.of(line.detector_folder, compute, detector.operating_point)
    with progress_bar(console, "predicting") as report:
        found = predictions(judge, test, report, threads=compute.threads, cluster=cluster)
        evaluation = evaluate(test, found, settings, ignored)
    # All of it is renamed at once: what one training measured never lies beside another's.
    with atomic_folder(folder) as new:
        (new / "heatmaps").mkdir()
        with progress_bar(console, "drawing") as report:
            drawn = draw(evaluation, test, new / "heatmaps", settings.evaluate.sheet_images,
                         report, ignored)
        known = background(line, detector, settings, test_set, hidden)
        said = rescored(detector, line.learned_feedback)
        metrics = evaluation.metrics | {
            "stated_false_alarm_rate": known.threshold.false_alarm_rate,
            "promised_false_alarm_rate": detector.operating_point.promised_rate,
            "likely_false_alarm_rate": detector.operating_point.likely_rate,
            "calibration_images": known.threshold.images,
            "calibration_parts": known.threshold.parts,
            "smallest_false_alarm_rate": known.threshold.smallest_rate,
            "ignored_share": from_text(ignored).share if ignored else 0.0,
            "defects_ignored": hidden}
        write_evaluation(new, evaluation)
        write_csv(new / "operating_curve.csv", known.operating_curve)
        detector.operating_point.save(new / line.operating_point_file.name)
        write_json(new / line.test_set_file.name, test_set)
        write_json(new / FEEDBACK_SCORES, said)
        write_text(new / "report.html", render(
            build(evaluation, replace(known, feedback=said), settings, drawn)))
        write_json(new / "metrics.json", metrics)
        write_json(new / HEADLINE_FILE, headline(metrics))
    run.log_metrics(metrics)
    run.set_tags({"test_set": test_set["name"]})
    _log(run, folder, evaluation)
    console.print(auroc_table(line.name, evaluation))
    point = detector.operating_point
    for sentence in filter(None, (promise(point), stands_on_one(detector.calibration, point))):
        console.print(escape(sentence), highlight=False)


def _log(run: StageRun, folder: Path, evaluation: Evaluation) -> None:
    """Everything a reader of the tracking store wants to see, and the files themselves."""
    run.log_table("metrics_table", metric_rows(evaluation))
    run.log_table("by_defect_type", records(evaluation.by_type))
    for file in sorted(folder.iterdir()):
        if file.is_file() and not file.name.startswith("."):
            run.log_artifact(file, "curves" if file.suffix == ".csv" else None)
    run.log_artifact(folder / "heatmaps", "heatmaps")
