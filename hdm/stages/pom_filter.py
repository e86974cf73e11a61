"""Stage pom_filter: decide which synthetic samples are worth training on."""

from rich.console import Console
from rich.table import Table

from hdm.dagm.bank import SampleBank
from hdm.dagm.mask_codes import CHANGED
from hdm.dagm.sample_sheet import sample_sheet
from hdm.diffusion.compute import Backend
from hdm.files import atomic_folder, write_json
from hdm.line import Line
from hdm.pom.generation.sample_evidence import descriptors, measure
from hdm.pom.generation.selection import REASONS, Selection, select
from hdm.progress import progress_bar
from hdm.settings import Params
from hdm.stage_run import StageRun
from hdm.stages.inputs import format_of, normals_of, prior_of


def run(line: Line, settings: Params, run: StageRun, console: Console) -> None:
    """Write selection.parquet, funnel.json and sheet.png to data/<line>/pom_filter/."""
    form, prior = format_of(line), prior_of(line, Backend(settings.compute).device)
    normals = normals_of(line, settings, form)
    bank = SampleBank.load(line.stage_folder("dagm_synthesize"))
    with progress_bar(console, "weighing samples") as report:
        evidence = measure(bank, normals.images, prior, form, seed=settings.seed,
                           progress=report)
    visible = (bank.masks == CHANGED).sum((1, 2)).numpy()
    selection = select(evidence, visible, descriptors(bank, normals.images), settings.pom_filter)
    with atomic_folder(line.stage_folder("pom_filter")) as folder:
        selection.table.to_parquet(folder / "selection.parquet", index=False)
        write_json(folder / "funnel.json", selection.funnel())
        captions = [f"{reason} d{found:.2f}" for reason, found in
                    zip(selection.table["reason"], selection.table["detectability"], strict=True)]
        sample_sheet(bank, normals.images, seed=settings.seed + 1,
                     captions=captions).save(folder / "sheet.png")
    run.log_artifact(line.stage_folder("pom_filter"))
    counts = selection.table["reason"].value_counts()
    run.log_metrics({f"pom_{reason}": int(counts.get(reason, 0)) for reason in REASONS})
    console.print(funnel_table(line.name, selection))


def funnel_table(name: str, selection: Selection) -> Table:
    """Samples by source and reason."""
    table = Table(title=f"{name}: from candidates to training samples")
    table.add_column("source", no_wrap=True)
    for reason in (*REASONS, "share_of_training"):
        words = reason.split("_")  # headings break between words, so that 80 columns are enough
        table.add_column(" ".join(words), justify="right", width=max(map(len, words)))
    funnel = selection.funnel()
    for source, counts in funnel["by_source"].items():
        table.add_row(source, *(str(counts[reason]) for reason in REASONS),
                      f"{funnel['shares'][source]:.0%}")
    return table
