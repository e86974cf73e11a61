"""`hdm lot`: the report of a lot, to be handed on."""

import hashlib
import re
from pathlib import Path
from typing import Annotated

import typer

from hdm.commands.line_name import LineName
from hdm.commands.model_choice import named
from hdm.dataset import decoding_pool
from hdm.dataset.part_rule import part_reader
from hdm.errors import HDMError
from hdm.line import TRAINED, Line
from hdm.lots.lot_figures import Lot, lot_of
from hdm.lots.lot_results import read_results, results_in
from hdm.registry.answering import Choice, answering
from hdm.terminal import say


def lot(
    line: LineName,
    name: Annotated[str | None, typer.Option("--lot", metavar="NAME", help=(
        "The lot's name, as `hdm watch --lot` was told it, or of what `hdm predict` judged; all "
        "pictures if left out."))] = None,
    source: Annotated[list[Path] | None, typer.Option("--from", metavar="DIR|CSV", help=(
        "Results of `hdm watch` or `hdm predict`; may be repeated; data/LINE/watch if left out."))
    ] = None,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help=(
        "The PDF; data/LINE/lots/NAME.pdf if left out."))] = None,
    pictures: Annotated[int, typer.Option(min=0, metavar="N", help=(
        "Most pictures that are shown, highest score first."))] = 200,
) -> None:
    """Write a PDF of what was found in a lot: counts, promise, pictures that are not good, a line
    to sign."""
    chosen = Line.load(line)
    part_of = part_reader(chosen.entry.source.part_rule)
    tables = list(dict.fromkeys(results_in(path) for path in source or [chosen.folder / "watch"]))
    judged = [one for table in tables
              for one in read_results(table, line, part_of, name or "")]
    found = lot_of(line, judged, name)
    target = output or chosen.folder / "lots" / f"{_file_name(found.name)}.pdf"
    decoding_pool.start()
    from hdm.lots.lot_pdf import write_report  # late: matplotlib's folder of fonts, fpdf2

    write_report(found, chosen.entry.description, _promises(chosen, found),
                 {table: hashlib.sha256(table.read_bytes()).hexdigest() for table in tables},
                 target, pictures)
    counts = ", ".join(f"{count:,} {kind}" for kind, count in found.counts().items() if count)
    say(f"{line}, {found.name or 'no lot named'}: {len(found.pictures):,} pictures: {counts}")
    say(f"report: {target}")


def _promises(line: Line, found: Lot) -> dict[str, str]:
    """What each version that judged promises of false alarms, or why that is not known."""
    from hdm.detector.operating_point import OPERATING_POINT_FILE, OperatingPoint
    from hdm.detector.promise import promise

    told = {}
    for version in filter(None, found.versions()):
        own = version == TRAINED
        try:
            with answering(line, Choice("" if own else version, trained=own)) as detector:
                point = detector.operating_point or detector.folder / OPERATING_POINT_FILE
                told[version] = promise(OperatingPoint.load(point))
        except HDMError as error:
            told[version] = (f"What {named(version)} promises of false alarms is not known here: "
                             f"{error}")
    return told


def _file_name(name: str) -> str:
    """A lot's name as a file may have it."""
    return re.sub(r"[^\w.-]+", "_", name).strip("._")[:80] or "all"
