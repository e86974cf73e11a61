"""`hdm predict`: judge image files with a line's detector."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hdm.commands.pipeline import LineName

if TYPE_CHECKING:
    from hdm.detector import HDM
    from hdm.line import Line
    from hdm.monitoring.log import PredictionLog

MODEL_URI = "models:/"


def predict(
    line: LineName,
    paths: Annotated[list[Path], typer.Argument(
        metavar="PATHS...", help="Image files, or folders that are searched for images.")],
    model: Annotated[str, typer.Option(metavar="FOLDER|models:/...", help=(
        "Another detector, for example models:/hdm-LINE@champion."))] = "",
    output: Annotated[Path | None, typer.Option(metavar="DIR", help=(
        "Where heat maps and tables go; data/LINE/predictions if left out."))] = None,
    log: Annotated[bool, typer.Option("--log", help=(
        "Log the predictions for `hdm monitor`; without --model the live model judges then."))
    ] = False,
) -> None:
    """Judge images: print a table, write heat maps, predictions.json and predictions.csv."""
    from rich.console import Console

    from hdm.commands import prediction
    from hdm.line import Line
    from hdm.progress import progress_bar

    chosen = Line.load(line)
    files = prediction.find_images(paths)
    folder = output or chosen.folder / "predictions"
    console = Console()
    console = Console(width=max(console.width, 100))
    # Loading torch and the network takes seconds: say so first.
    with console.status("loading the detector"):
        version, place = _chosen(chosen, model, live=log)
        detector = _load(chosen, place)
    recorder = prediction.Recorder(_log(chosen), version) if log else None
    with progress_bar(console, "predicting") as report:
        found = prediction.predict_files(detector, files, folder, report, recorder)
    prediction.write_tables(found, folder)
    console.print(prediction.table(found))
    console.print(f"heat maps, predictions.json and predictions.csv: {folder}", markup=False,
                  highlight=False, soft_wrap=True)
    bad = [row for row in found if row.error]
    for row in bad:
        print(f"unreadable: {row.error}")
    if bad:
        print(f"error: {len(bad)} of {len(found)} images could not be read (listed above); the "
              "others were judged.", file=sys.stderr)
        raise typer.Exit(1)


def _chosen(line: "Line", model: str, *, live: bool) -> tuple[str, Path]:
    """Version and folder of the detector that --model names; without it of the one that was
    trained last, or with `live` of the one in service, if there is one."""
    from hdm.monitoring.log import LOCAL
    from hdm.registry.address import tracking_off
    from hdm.registry.fetch import fetch, live_version

    if not model and live and not tracking_off() and (serving := live_version(line)):
        model = f"{MODEL_URI}{line.model_name}/{serving}"
    if model.startswith(MODEL_URI):
        version, folder = fetch(line, model)
        return version, folder
    return LOCAL, Path(model) if model else line.detector_folder


def _log(line: "Line") -> "PredictionLog":
    from hdm.monitoring.log import PredictionLog

    return PredictionLog(line.log_folder, line.params.monitor)


def _load(line: "Line", folder: Path) -> "HDM":
    from hdm.errors import HDMError

    if not (folder / "detector.json").is_file():
        raise HDMError(f"expected a detector in {folder}, found none; train it with "
                       f"`hdm run {line.name}` or name another with --model.")
    import hdm

    return hdm.HDM.load(folder, device=line.params.compute.device,
                    precision=line.params.compute.precision, threads=line.params.compute.threads)
