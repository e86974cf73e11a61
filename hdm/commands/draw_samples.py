"""`hdm samples`: draw the images of the sample product lines."""

from typing import Annotated

import typer
from rich.console import Console

from hdm import samples as room
from hdm.errors import ConfigError
from hdm.files import atomic_file
from hdm.line import find_project
from hdm.progress import progress_bar


def samples(
    names: Annotated[list[str] | None, typer.Argument(
        metavar="[NAMES]...", help="Sample lines; all of them if left out.")] = None,
    contact_sheet: Annotated[bool, typer.Option("--contact-sheet", help=(
        "Also write one sheet with examples of every kind for each line."))] = False,
    seed: Annotated[int, typer.Option(min=0, help="Another seed draws other images.")] = 0,
) -> None:
    """Draw the sample lines into data/<line>/raw; lines that are there are left alone."""
    project = find_project()
    chosen = names or list(room.SAMPLE_LINES)
    unknown = [name for name in chosen if name not in room.SAMPLE_LINES]
    if unknown:
        raise ConfigError(f"no sample line {unknown[0]!r}; expected one of: "
                          f"{', '.join(room.SAMPLE_LINES)}.")
    console = Console(soft_wrap=True)
    for name in chosen:
        folder = project / "data" / name / "raw"
        if folder.is_dir() and any(folder.iterdir()):
            console.print(f"{folder} is already there")
        else:
            with progress_bar(console, f"drawing {name}") as report:
                room.draw_line(name, folder, seed=seed, progress=report)
        if contact_sheet:
            sheet = folder.parent / "contact_sheet.png"
            with atomic_file(sheet) as temporary:
                room.contact_sheet(folder).save(temporary, format="PNG")
            console.print(f"{sheet}")
