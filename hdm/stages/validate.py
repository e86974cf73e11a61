"""Stage `validate`: the line goes on only if its data are what it expects."""

import shutil
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hdm.dataset.aside import LEFT_ASIDE, is_question
from hdm.dataset.manifest import Manifest
from hdm.errors import ValidationFailed
from hdm.files import atomic_folder, read_json, write_json
from hdm.line import Line
from hdm.progress import progress_bar
from hdm.settings import Params
from hdm.stage_run import StageRun
from hdm.validation.data_docs import RESULTS_PAGE, publish_docs
from hdm.validation.pictures import offending
from hdm.validation.verdict import Result, Verdict, validate

_STATUS = {"critical": "[red]failed[/]", "warning": "[yellow]warning[/]"}


def run(line: Line, settings: Params, run: StageRun, console: Console) -> None:
    """Write verdict.json, statistics.parquet and docs/, to rejected/validate if the line stops.

    Raises ValidationFailed if a critical expectation is unmet; what the stage wrote for the last
    good data then stays as it is. Raises DataError, HDMError.
    """
    manifest = Manifest.load(line.manifest_file, line.source_root)
    aside = {path: reason for path, reason
             in read_json(line.stage_folder("ingest") / LEFT_ASIDE).items() if is_question(reason)}
    notes = read_json(line.stage_folder("ingest") / "split_table.json")["warnings"]
    good = line.stage_folder("validate")
    rejected = line.folder / "rejected" / "validate"
    with tempfile.TemporaryDirectory(prefix="hdm-validate-") as scratch:
        site = Path(scratch)
        with progress_bar(console, "measuring images") as report:
            verdict = validate(manifest, settings.validate_, name=line.name, site=site,
                               threads=settings.compute.threads,
                               cluster=line.params.compute.cluster, aside=aside,
                               cache=line.work_folder("validate") / "measured.parquet",
                               progress=report)
        target = good if verdict.passed else rejected
        with atomic_folder(target) as folder:
            publish_docs(site, folder / "docs", verdict, line.name, notes,
                         offending(manifest, verdict))
            write_json(folder / "verdict.json", verdict.as_dict())
            pq.write_table(pa.Table.from_pandas(verdict.statistics, preserve_index=False)
                           .replace_schema_metadata(None), folder / "statistics.parquet")
    console.print(summary(verdict))
    _log(run, verdict, target)
    if not verdict.passed:
        raise ValidationFailed(f"{line.name}: {verdict.reason}. Data Docs: "
                               f"{target / 'docs' / RESULTS_PAGE}")
    shutil.rmtree(rejected, ignore_errors=True)


def summary(verdict: Verdict) -> Table:
    """A row an expectation: its code, whether it holds, and how many images offend."""
    table = Table(box=None, pad_edge=False)
    for column in ("expectation", "status", "images"):
        table.add_column(column, no_wrap=True)
    table.add_column("what should hold")
    for result in verdict.results:
        status = "[green]ok[/]" if result.passed else _STATUS[result.severity]
        table.add_row(result.expectation, status, _offenders(result), escape(result.promise))
    return table


def _offenders(result: Result) -> str:
    if result.paths:
        return str(len(result.paths))
    return f"{result.observed} found" if not result.passed else ""


def _log(run: StageRun, verdict: Verdict, folder: Path) -> None:
    run.log_metrics({"validate_images": len(verdict.statistics),
                     "validate_critical": len(verdict.critical),
                     "validate_warnings": len(verdict.warnings)})
    run.set_tags({"validation": "passed" if verdict.passed else "failed"})
    run.log_table("validation", [
        {"expectation": r.expectation, "severity": r.severity, "passed": r.passed,
         "offending": len(r.paths), "message": r.message} for r in verdict.results])
    run.log_artifact(folder / "verdict.json", "validate")
    run.log_artifact(folder / "statistics.parquet", "validate")
    run.log_artifact(folder / "docs", "validate/docs")
