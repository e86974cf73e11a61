"""`hdm predict`: judge image files with a line's detector."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hdm.commands.pipeline import LineName

if TYPE_CHECKING:
    from hdm.detector import HDM
    from hdm.line import Line

MODEL_URI = "models:/"


def predict(
    line: LineName,
    paths: Annotated[list[Path], typer.Argument(
        metavar="PATHS...", help="Image files, or folders that are searched for images.")],
    model: Annotated[str, typer.Option(metavar="FOLDER|models:/...", help=(
        "Another detector, for example models:/hdm-LINE@champion."))] = "",
    output: Annotated[Path | None, typer.Option(metavar="DIR", help=(
        "Where heat maps and tables go; data/LINE/predictions if left out."))] = None,
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
        detector = _load(chosen, model)
    with progress_bar(console, "predicting") as report:
        found = prediction.predict_files(detector, files, folder, report)
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


def _load(line: "Line", model: str) -> "HDM":
    from hdm.errors import HDMError

    folder = Path(model) if model else line.detector_folder
    if model.startswith(MODEL_URI):
        from hdm.registry.fetch import fetch

        folder = fetch(line, model).folder
    if not (folder / "detector.json").is_file():
        raise HDMError(f"expected a detector in {folder}, found none; train it with "
                       f"`hdm run {line.name}` or name another with --model.")
    import hdm

    return hdm.HDM.load(folder, device=line.params.compute.device,
                    precision=line.params.compute.precision, threads=line.params.compute.threads)
