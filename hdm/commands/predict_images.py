"""`hdm predict`: judge image files with a line's detector."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from hdm.cluster.spreading import HERE
from hdm.commands import prediction_table
from hdm.commands.detector_loading import load_detector, sent
from hdm.commands.image_search import Search, missed_sentence, search
from hdm.commands.judged_row import Row, summary
from hdm.commands.line_name import LineName
from hdm.commands.model_choice import Trained, Version, named
from hdm.commands.prediction_recorder import Recorder
from hdm.commands.prediction_table import Judging, Overlays
from hdm.console import Console
from hdm.dataset import decoding_pool
from hdm.dataset.part_rule import part_reader
from hdm.line import Line
from hdm.progress import progress_bar
from hdm.registry.answering import Choice, answering
from hdm.terminal import say


def predict(
    line: LineName,
    paths: Annotated[list[Path], typer.Argument(
        metavar="PATHS...", help=(
            "Image files, which are tried whatever their names, or folders that are searched for "
            "images."))],
    version: Version = "",
    trained: Trained = False,
    model: Annotated[str, typer.Option(metavar="FOLDER|models:/...", help=(
        "A detector from elsewhere."))] = "",
    output: Annotated[Path | None, typer.Option(metavar="DIR", help=(
        "Where pictures and tables go; data/LINE/predictions if left out."))] = None,
    overlays: Annotated[Overlays, typer.Option(help=(
        "Of which images one with outlines is written: those not called good, all, or none."))
    ] = Overlays.STOPPED,
    level: Annotated[float | None, typer.Option(min=0, max=1, help=(
        "Value of the anomaly map above which regions are told, of good images, too."))] = None,
    log: Annotated[bool, typer.Option("--log", help=(
        "Log the predictions for `hdm monitor`."))] = False,
    part: Annotated[str, typer.Option(metavar="NAME", help=(
        "With --log: the physical part that all these images show; else the line's part_rule "
        "reads it from their names."))] = "",
) -> None:
    """Judge images with the live model: print a table, write pictures, JSON and CSV."""
    chosen = Line.load(line)
    searched = search(paths)
    folder = output or chosen.folder / "predictions"
    console = Console()
    console = Console(width=max(console.width, 100))
    decoding_pool.start()
    # Loading torch and the network takes seconds: say so first.
    with console.status("loading the detector"), \
            answering(chosen, Choice(version, trained, model)) as found:
        detector = load_detector(chosen, found)
        cluster = chosen.params.compute.cluster
        judge = detector if cluster == HERE else sent(chosen, found, detector)
    judging = Judging(judge, found.version, f"{line}, {named(found.version)}",
                      detector.region_rule, folder, overlays, level,
                      threads=chosen.params.compute.threads)
    recorder = _recorder(chosen, found.version, part) if log else None
    with progress_bar(console, "predicting") as report:
        rows = prediction_table.predict_files(judging, list(searched.files), report, recorder,
                                              cluster)
    prediction_table.write_tables(rows, folder)
    from hdm.detector.promise import promise  # late: scipy, which comes with the detector

    console.print(prediction_table.table(rows))
    say(summary(rows, named(found.version)))
    for row in rows:
        if row.reasons:
            say(f"undecidable: {row.path}: {row.reasons}")
    for sentence in filter(None, (promise(detector.operating_point), found.note)):
        say(f"note: {sentence}")
    drawn = "heat maps" if overlays == Overlays.NONE else "heat maps, overlays"
    say(f"{drawn}, predictions.json, predictions.csv and regions.csv: {folder}")
    _tell_what_is_missing(rows, searched)


def _tell_what_is_missing(rows: Sequence[Row], searched: Search) -> None:
    """Files that were not judged; raises Exit with 1 if there are images among them."""
    bad = [row for row in rows if row.error]
    for row in bad:
        say(f"unreadable: {row.error}")
    for sentence in searched.sentences():
        say(f"left aside: {sentence}")
    if bad:
        say(f"error: {len(bad)} of {len(rows)} images could not be read (listed above); the "
            "others were judged.", file=sys.stderr)
    if searched.missed:
        say(f"error: {missed_sentence(searched.missed)}", file=sys.stderr)
    if bad or searched.missed:
        raise typer.Exit(1)


def _recorder(line: Line, version: str, part: str) -> Recorder:
    # Late: pandas, which only those who log need.
    from hdm.monitoring.prediction_log import PredictionLog

    return Recorder(PredictionLog(line.log_folder, line.params.monitor), version,
                    (lambda _: part) if part else part_reader(line.entry.source.part_rule))
