"""Stage evaluate: predict the test split, measure, draw and write the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from hdm import checkout
from hdm.dataset.images import read_image
from hdm.dataset.manifest import Manifest
from hdm.dataset.test_set import in_words
from hdm.errors import HDMError
from hdm.files import atomic_file, atomic_folder, read_json, write_json, write_text
from hdm.line import Line
from hdm.settings import Params

if TYPE_CHECKING:
    from hdm.detector import HDM, Prediction
    from hdm.evaluation.content import Background
    from hdm.evaluation.evaluate import Evaluation
    from hdm.registry.tracking import StageRun

BATCH = 16


def run(line: Line, settings: Params, run: StageRun, console: Console) -> None:
    """Measure the line's detector on its test split and write data/<line>/evaluate/.

    Nothing is written before everything is computed; each file replaces its forerunner whole.
    Raises HDMError where the detector, an image or a mask is missing or unusable.
    """
    from hdm.detector import HDM
    from hdm.evaluation.content import build, draw
    from hdm.evaluation.evaluate import evaluate
    from hdm.evaluation.gallery import chapters
    from hdm.evaluation.report import render
    from hdm.pom.operating_point import OPERATING_POINT_FILE, choose

    compute = settings.compute
    detector = HDM.load(line.detector_folder, compute.device, compute.precision, compute.threads)
    if detector.calibration is None:
        raise HDMError(f"the detector in {line.detector_folder} is not calibrated; run the "
                       "ddm_train stage again.")
    detector.operating_point = choose(detector.calibrated, settings.evaluate.operating_point)
    test = Manifest.load(line.manifest_file, line.source_root).split("test")
    # Scores mean something only beside the name of what they were measured on.
    test_set = {key: value for key, value in read_json(line.test_set_file).items()
                if key != "waiting"}
    folder = line.stage_folder("evaluate")
    with _progress(console) as progress:
        task = progress.add_task("predicting", total=len(test))
        evaluation = evaluate(test, _predictions(detector, test, progress, task), settings)
        task = progress.add_task("drawing", total=len(chapters(evaluation)))
        with atomic_folder(folder / "heatmaps") as sheets:
            drawn = draw(evaluation, test, sheets, settings.evaluate.sheet_images,
                         lambda: progress.advance(task))
            background = _background(line, detector, settings, test_set)
            page = render(build(evaluation, background, settings, drawn))
    metrics = evaluation.metrics | {
        "stated_false_alarm_rate": background.threshold.false_alarm_rate,
        "calibration_images": background.threshold.images,
        "smallest_false_alarm_rate": background.threshold.smallest_rate}
    _write(folder, evaluation, metrics, page)
    write_json(folder / line.test_set_file.name, test_set)
    write_json(folder / OPERATING_POINT_FILE, detector.operating_point.as_dict())
    _write_csv(folder / "operating_curve.csv", background.operating_curve)
    run.log_metrics(metrics)
    run.set_tags({"test_set": test_set["name"]})
    _log(run, folder, evaluation)
    console.print(auroc_table(line.name, evaluation))


def _predictions(detector: HDM, test: Manifest, progress: Progress, task: Any,
                 ) -> Iterator[Prediction]:
    """One batch at a time, so that memory does not grow with the number of images."""
    remaining = iter(test)
    while rows := list(islice(remaining, BATCH)):
        images = [read_image(test.image_file(row)) for row in rows]
        yield from detector.predict(images, batch_size=BATCH)
        progress.advance(task, len(rows))


def _progress(console: Console) -> Progress:
    return Progress(TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(),
                    TimeRemainingColumn(), console=console)


def _background(line: Line, detector: HDM, settings: Params, test_set: Mapping[str, Any],
                ) -> Background:
    from hdm.evaluation.content import Background
    from hdm.evaluation.wording import ThresholdFacts
    from hdm.pom.operating_point import curve

    calibration: Any = detector.calibration
    point, wanted = detector.operating_point, settings.evaluate.operating_point
    threshold = ThresholdFacts(point.false_alarm_rate, len(calibration.normal_scores),
                               calibration.smallest_rate, point.certified,
                               wanted.costs, point.escape_rate, point.cost)
    return Background(
        line=line.name, description=line.entry.description, threshold=threshold,
        operating_curve=curve(calibration, wanted),
        # Of what these two say nothing here depends, and so the page would show them outdated.
        configuration=line.params.model_dump(mode="json", by_alias=True,
                                             exclude={"validate_", "register_"}),
        facts=_facts(line, detector.info, test_set),
        funnel=_optional(line.stage_folder("pom_filter") / "funnel.json"),
        split_table=_optional(line.stage_folder("ingest") / "split_table.json"))


def _facts(line: Line, info: Mapping[str, Any], test_set: Mapping[str, Any],
           ) -> tuple[tuple[str, str], ...]:
    """Where the numbers come from."""
    named = {"Product line": line.name, "Owner": line.entry.owner,
             "Test set": in_words(test_set),
             "Registered model": line.model_name, "Git commit": checkout.commit(line.project)}
    known = {str(key).replace("_", " ").capitalize(): _plain(value) for key, value in info.items()}
    return tuple((key, text) for key, text in {**known, **named}.items() if text)


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " × ".join(_plain(part) for part in value)
    if value is None or isinstance(value, dict):
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _optional(file: Path) -> Any:
    return read_json(file) if file.is_file() else None


def _write(folder: Path, evaluation: Evaluation, metrics: Mapping[str, Any], page: str) -> None:
    """The files of the stage, all but the heat maps."""
    write_json(folder / "metrics_undefined.json", evaluation.undefined)
    write_json(folder / "intervals.json", {
        name: {"low": found.low, "high": found.high, "reason": found.reason}
        for name, found in evaluation.intervals.items()})
    for name, curve in evaluation.curves.items():
        _write_csv(folder / f"{name}.csv", curve)
    _write_csv(folder / "by_defect_type.csv", evaluation.by_type)
    with atomic_file(folder / "scores.parquet") as temporary:
        evaluation.scores.to_parquet(temporary, index=False)
    write_text(folder / "report.html", page)
    write_json(folder / "metrics.json", metrics)


def _write_csv(file: Path, table: Any) -> None:
    with atomic_file(file) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def _log(run: StageRun, folder: Path, evaluation: Evaluation) -> None:
    """Everything a reader of the tracking store wants to see, and the files themselves."""
    run.log_table("metrics", metric_rows(evaluation))
    run.log_table("by_defect_type", _records(evaluation.by_type))
    for file in sorted(folder.iterdir()):
        if file.is_file() and not file.name.startswith("."):
            run.log_artifact(file, "curves" if file.suffix == ".csv" else None)
    run.log_artifact(folder / "heatmaps", "heatmaps")


def metric_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Metric, value, interval and, where undefined, the reason."""
    rows = []
    for name, value in evaluation.metrics.items():
        found = evaluation.intervals.get(name)
        rows.append({"metric": name, "value": value, "low": found.low if found else None,
                     "high": found.high if found else None,
                     "reason": evaluation.undefined.get(name, "")})
    return rows


def _records(table: Any) -> list[dict[str, Any]]:
    """Rows as plain values, None for what is missing."""
    return [{key: None if value != value else value for key, value in row.items()}
            for row in table.to_dict("records")]


def auroc_table(line: str, evaluation: Evaluation) -> Table:
    """What the terminal shows: AUROC by defect type and for all."""
    from hdm.evaluation.wording import fraction, percent

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
