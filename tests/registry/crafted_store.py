"""A project whose store has versions with files, made without any training."""

import hashlib
import os
import shutil
from pathlib import Path

from registry_lines import copy_store, make_line

from hdm.line import Line
from hdm.registry.address import tracking_uri
from hdm.registry.artifact_root import local_path
from hdm.registry.detector_files import fingerprint
from hdm.registry.mlflow_client import connect, load_mlflow
from hdm.registry.model_versions import FINGERPRINT
from hdm.registry.promotion import put_in_service
from hdm.registry.registered_files import SUMS, SUMS_TAG, file_hashes, write_sums
from hdm.registry.store import prepare

MODEL = "hdm-plate"
MLMODEL = """\
flavors:
  python_function:
    artifacts: {detector: {path: artifacts/detector, uri: gone}}
    loader_module: mlflow.pyfunc.loaders.code_model
"""


def crafted_project(template: Path, project: Path) -> Line:
    """Version 3 of the line `plate` serves, 2 did before, 1 may go; one run has a file."""
    project.mkdir(parents=True)
    copy_store(template, project)
    line = make_line(project)
    add_versions(line, 3)
    client = connect(tracking_uri(project))
    for version in ("2", "3"):
        put_in_service(client, line, version, "better")
    run = client.create_run(prepare(line).experiment_id)
    client.log_text(run.info.run_id, "made here", "environment.txt")
    return line


def add_versions(line: Line, count: int) -> None:
    """New versions of the line's model, each with a detector folder."""
    uri, mlflow = tracking_uri(line.project), load_mlflow()
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    client, experiment = connect(uri), prepare(line).experiment_id
    for number in range(count):
        logged = client.create_logged_model(experiment, name=f"detector{number}")
        folder = local_path(logged.artifact_location)
        (folder / "artifacts" / "detector").mkdir(parents=True)
        (folder / "MLmodel").write_text(MLMODEL)
        (folder / "artifacts" / "detector" / "detector.json").write_text(f'{{"gain": {number}}}')
        client.create_model_version(MODEL, f"models:/{logged.model_id}", tags={
            FINGERPRINT: fingerprint(folder / "artifacts" / "detector"),
            SUMS_TAG: write_sums(folder / SUMS, file_hashes(folder))})
    forget_store()


def forget_store() -> None:
    """MLflow leaves the last store that it was told in the environment; a command ends here."""
    os.environ.pop("MLFLOW_TRACKING_URI", None)


def model_folders(project: Path) -> set[str]:
    """Names of the models that have files."""
    return {file.parents[1].name for file in project.glob("mlruns/models/*/artifacts/MLmodel")}


def hashes(folder: Path) -> dict[str, str]:
    """Every file below `folder` with its hash, without SQLite's and locks' passing traces."""
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sorted(folder.rglob("*")) if file.is_file()}


def copied(project: Path) -> Path:
    return Path(shutil.copytree(project, project.with_name("hdm_copy"), symlinks=True))


def renamed(project: Path) -> Path:
    return project.rename(project.with_name("hdm 2"))


def moved(project: Path) -> Path:
    target = project.parent / "größer" / "disk" / project.name
    target.parent.mkdir(parents=True)
    return project.rename(target)


def copied_inside(project: Path) -> Path:
    """A trial folder within the original."""
    elsewhere = copied(project)
    return elsewhere.rename(project / "trial")
