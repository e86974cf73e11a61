"""`hdm reproduce`: make a registered version again in a scratch folder, and compare."""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from ruamel.yaml import YAML

from hdm.console import Console
from hdm.errors import HDMError, RegistryError
from hdm.files import read_json
from hdm.line import Line, find_project
from hdm.orchestration import child_process
from hdm.registry.address import tracking_uri
from hdm.registry.decision_record import environment
from hdm.registry.detector_files import assembled, fingerprint
from hdm.registry.mlflow_client import connect, load_mlflow
from hdm.registry.mlflow_uris import parse_model_uri
from hdm.registry.reproduction import Difference, Origin, Remade, compare, origin, source_of
from hdm.registry.tracking import data_hash, flatten


def reproduce(
    uri: Annotated[str, typer.Argument(metavar="models:/hdm-LINE/VERSION")],
    into: Annotated[Path | None, typer.Option(metavar="DIR", help=(
        "An empty or new folder to work in; one in the system's place if left out."))] = None,
) -> None:
    """Check out a version's commit and data, train it again, and compare to the last bit.

    Exits with 0 if every metric is identical, with 1 and the differences otherwise.
    """
    found, here = _origin(uri)
    scratch = into or Path(tempfile.mkdtemp(prefix="hdm-reproduce-"))
    if scratch.exists() and any(scratch.iterdir()):
        raise HDMError(f"expected an empty folder, found files in {scratch}; name another one.")
    print(f"making version {found.version} of hdm-{found.line} again from commit "
          f"{found.commit[:12]} in {scratch}", flush=True)
    there = _checkout(found, here, scratch)
    _run(there)
    results, causes = compare(found, _remade(there))
    if not results:
        print("identical: every metric and every file of the detector is as registered.")
        _show("What differs all the same", causes)
        return
    _show("Results that differ", results)
    _show("What may explain it", causes)
    raise typer.Exit(1)


def _origin(uri: str) -> tuple[Origin, Line]:
    name, version, by_alias = parse_model_uri(uri)
    if not name.startswith("hdm-") or by_alias:
        raise RegistryError(f"expected models:/hdm-LINE/VERSION, received {uri!r}; "
                            "`hdm history LINE` lists the versions.")
    project = find_project()
    line = Line.load(name.removeprefix("hdm-"), project)
    store, mlflow = tracking_uri(project), load_mlflow()
    mlflow.set_tracking_uri(store)
    return origin(mlflow, connect(store), name, version), line


def _checkout(found: Origin, here: Line, scratch: Path) -> Line:
    """A clone of the project at the version's commit, which sees the same images."""
    project = here.project
    _quietly(["git", "clone", "--quiet", "--no-checkout", str(project), str(scratch)], project)
    _quietly(["git", "-C", str(scratch), "checkout", "--quiet", found.commit], project)
    file, yaml = scratch / "pipelines.yaml", YAML()
    content: Any = yaml.load(file.read_text(encoding="utf-8"))
    source = content["lines"][found.line]["source"]
    source["path"] = source_of(source["path"], project) if found.line == here.name else \
        str(here.source)
    with file.open("w", encoding="utf-8") as stream:
        yaml.dump(content, stream)
    if (scratch / f"{source['path']}.dvc").is_file():
        shared = project / ".dvc" / "cache"
        _quietly(child_process.dvc("cache", "dir", "--local", str(shared)), scratch)
        _quietly(child_process.dvc("checkout", f"{source['path']}.dvc"), scratch)
    return Line.load(found.line, scratch)


def _run(there: Line) -> None:
    """Everything up to the evaluation, with nothing logged or registered."""
    os.environ["HDM_TRACKING"] = "off"
    command = child_process.dvc("repro", f"evaluate@{there.name}")
    with child_process.running(command, there.project) as process:
        if process.wait():
            raise HDMError(f"{there.name} did not get through; the reason is printed above. What "
                           f"was made is in {there.project}.")


def _remade(there: Line) -> Remade:
    evaluate = there.stage_folder("evaluate")
    metrics = {name: float(value) for name, value in read_json(evaluate / "metrics.json").items()
               if value is not None}
    settings = flatten(there.params.model_dump(mode="json", by_alias=True))
    with assembled(there) as folder:
        return Remade(data_hash(there) or "", fingerprint(folder),
                      {key: str(value) for key, value in settings.items()}, metrics,
                      frozenset(environment().split()))


def _quietly(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, env=child_process.environment(), capture_output=True,
                          text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise HDMError(f"`{' '.join(command[:4])} ...` failed: {said}")


def _show(title: str, rows: list[Difference]) -> None:
    if not rows:
        return
    table = Table("what", "registered", "reproduced", title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    console = Console()
    Console(width=max(console.width, 110)).print(table)
