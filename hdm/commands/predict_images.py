"""`hdm predict`: judge image files with a line's detector."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

import hdm
from hdm.commands import prediction_table
from hdm.commands.image_search import missed_sentence, search
from hdm.commands.line_name import LineName
from hdm.errors import HDMError
from hdm.line import Line
from hdm.progress import progress_bar
from hdm.registry import fetch
from hdm.registry.address import tracking_off
from hdm.registry.mlflow_uris import MODELS, model_uri

if TYPE_CHECKING:
    from hdm.detector.detector import HDM

# Torch comes with `hdm.HDM`, when the user has been told that a detector is loaded.


def predict(
    line: LineName,
    paths: Annotated[list[Path], typer.Argument(
        metavar="PATHS...", help=(
            "Image files, which are tried whatever their names, or folders that are searched for "
            "images."))],
    model: Annotated[str, typer.Option(metavar="FOLDER|models:/...", help=(
        "Another detector, for example models:/hdm-LINE@champion."))] = "",
    output: Annotated[Path | None, typer.Option(metavar="DIR", help=(
        "Where heat maps and tables go; data/LINE/predictions if left out."))] = None,
    log: Annotated[bool, typer.Option("--log", help=(
        "Log the predictions for `hdm monitor`; without --model the live model judges then."))
    ] = False,
) -> None:
    """Judge images: print a table, write heat maps, predictions.json and predictions.csv."""
    chosen = Line.load(line)
    searched = search(paths)
    folder = output or chosen.folder / "predictions"
    console = Console()
    console = Console(width=max(console.width, 100))
    # Loading torch and the network takes seconds: say so first.
    with console.status("loading the detector"):
        version, place = _chosen(chosen, model, live=log)
        own = chosen.operating_point_file if place == chosen.detector_folder else None
        detector = _load(chosen, place, own if own and own.is_file() else None)
    recorder = _recorder(chosen, version) if log else None
    with progress_bar(console, "predicting") as report:
        found = prediction_table.predict_files(detector, list(searched.files), folder, report,
                                               recorder)
    prediction_table.write_tables(found, folder)
    console.print(prediction_table.table(found))
    console.print(f"heat maps, predictions.json and predictions.csv: {folder}", markup=False,
                  highlight=False, soft_wrap=True)
    for row in found:
        if row.reasons:
            print(f"undecidable: {row.path}: {row.reasons}")
    bad = [row for row in found if row.error]
    for row in bad:
        print(f"unreadable: {row.error}")
    for sentence in searched.sentences():
        print(f"left aside: {sentence}")
    if bad:
        print(f"error: {len(bad)} of {len(found)} images could not be read (listed above); the "
              "others were judged.", file=sys.stderr)
    if searched.missed:
        print(f"error: {missed_sentence(searched.missed)}", file=sys.stderr)
    if bad or searched.missed:
        raise typer.Exit(1)


def _chosen(line: Line, model: str, *, live: bool) -> tuple[str, Path]:
    """Version and folder of the detector that --model names; without it of the one that was
    trained last, or with `live` of the one in service, if there is one. No version: no registered
    one."""
    if not model and live and not tracking_off() and (serving := fetch.live_version(line)):
        model = model_uri(line.model_name, serving)
    if model.startswith(MODELS):
        version, folder = fetch.fetch(line, model)
        return version, folder
    return "", Path(model) if model else line.detector_folder


def _recorder(line: Line, version: str) -> prediction_table.Recorder:
    # Late: pandas, which only those who log need.
    from hdm.monitoring.prediction_log import LOCAL, PredictionLog

    return prediction_table.Recorder(PredictionLog(line.log_folder, line.params.monitor),
                                     version or LOCAL)


def _load(line: Line, folder: Path, operating_point: Path | None) -> "HDM":
    if not (folder / "detector.json").is_file():
        raise HDMError(f"expected a detector in {folder}, found none; train it with "
                       f"`hdm run {line.name}` or name another with --model.")
    compute = line.params.compute
    return hdm.HDM.load(folder, device=compute.device, precision=compute.precision,
                        threads=compute.threads, operating_point=operating_point)
