"""Stage dagm_synthesize: grow the sample bank on the line's good images."""

from rich.console import Console

from hdm.dagm.bank import synthesize, usable_sources
from hdm.dagm.sample_sheet import sample_sheet
from hdm.files import atomic_folder
from hdm.line import Line
from hdm.progress import progress_bar
from hdm.settings import Params
from hdm.stage_run import StageRun
from hdm.stages.inputs import format_of, normals_of


def run(line: Line, settings: Params, run: StageRun, console: Console) -> None:
    """Write bank.safetensors, bank.parquet and sheet.png to data/<line>/dagm_synthesize/."""
    form = format_of(line)
    with progress_bar(console, "reading images") as report:
        normals = normals_of(line, settings, form, report)
    shares = usable_sources(settings.dagm_synthesize, normals.train, normals.train_ignored)
    if set(shares) == {"repaint"}:
        console.print("all defects are parts in another of the image's own colours, as it is done "
                      "where good images have two tones (dagm_synthesize.two_tones)")
    with progress_bar(console, "growing defects") as report:
        bank = synthesize(normals.images, normals.splits, settings.dagm_synthesize, shares,
                          seed=settings.seed, progress=report, ignored=normals.ignored)
    with atomic_folder(line.stage_folder("dagm_synthesize")) as folder:
        bank.save(folder)
        sample_sheet(bank, normals.images, seed=settings.seed).save(folder / "sheet.png")
    counts = bank.table["source"].value_counts()
    run.log_metrics({f"samples_{name}": int(count) for name, count in counts.items()})
    for name in ("bank.parquet", "sheet.png"):
        run.log_artifact(line.stage_folder("dagm_synthesize") / name)
    console.print(", ".join(f"{count} {name}" for name, count in counts.sort_index().items()))
