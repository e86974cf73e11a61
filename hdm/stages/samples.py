"""Stage samples: draw the images of a sample product line."""

from rich.console import Console

from hdm.line import Line
from hdm.progress import progress_bar
from hdm.samples import draw_line


def run(line: Line, console: Console) -> None:
    """Write data/<line>/raw in MVTec AD layout."""
    with progress_bar(console, f"drawing {line.name}") as report:
        draw_line(line.name, line.folder / "raw", progress=report)
