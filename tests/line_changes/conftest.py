"""A plant with two lines, a real DVC, a real MLflow store with a champion, and all that may bear a
line's name."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from plant_files import dvc

from hdm.cli import main
from hdm.dataset.frozen_set import write_frozen
from hdm.dataset.line_region import LineRegion
from hdm.dataset.region_file import write_region
from hdm.dataset.test_set import Entry
from hdm.line import Line
from hdm.registry.address import tracking_uri
from hdm.registry.decision_log import note
from hdm.registry.mlflow_client import opened
from hdm.registry.model_versions import CHAMPION
from hdm.registry.store import prepare

PIPELINES = """\
# The lines of the plant.
sample_lines: []

lines:
  # The first, see ticket 12.
  plate:   # line one
    description: Covers
    source: {path: data/plate/raw, format: folder}   # from the camera
    inbox: ../drop
    test_set: spring
    overrides:
      seed: 7

  # The meshes.
  mesh:
    source: {path: raw/mesh, format: folder}
"""
STAGES = """\
vars: [pipelines.yaml]
stages:
  configure:
    foreach: ${lines}
    do:
      cmd: python act.py configure ${key}
      deps: [params.yaml, test_sets, regions]
      params: [{pipelines.yaml: ["lines.${key}"]}]
      outs: ["data/${key}/config/dagm_fit.json": {persist: true},
             "data/${key}/config/ingest.json": {persist: true}]
  ingest:
    foreach: ${lines}
    do:
      cmd: python act.py ingest ${key}
      deps: ["data/${key}/config/ingest.json", "${item.source.path}"]
      outs: ["data/${key}/ingest": {persist: true}]
  dagm_fit:
    foreach: ${lines}
    do:
      cmd: python act.py dagm_fit ${key}
      deps: ["data/${key}/config/dagm_fit.json", "data/${key}/ingest", "data/.stores/${key}.json"]
      outs: ["data/${key}/dagm_fit": {persist: true}]
"""
ACT = """\
import sys
from pathlib import Path

stage, line = sys.argv[1:]
with Path("calls.txt").open("a") as calls:
    calls.write(f"{stage}@{line}\\n")
if stage == "configure":
    from rich.console import Console
    from hdm.line import Line
    from hdm.stages import configure
    configure.run(Line.load(line), Console())
else:
    Path("data", line, stage).mkdir(exist_ok=True)
    Path("data", line, stage, "made.txt").write_text(stage)
"""


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plant, once."""
    project = tmp_path_factory.mktemp("plant")
    for name, text in (("pipelines.yaml", PIPELINES), ("params.yaml", "{}\n"),
                       ("dvc.yaml", STAGES), ("act.py", ACT)):
        (project / name).write_text(text)
    for folder in ("data/plate/raw/good", "raw/mesh/good", "test_sets/plate", "feedback/plate",
                   "regions", "data/.stores"):
        (project / folder).mkdir(parents=True)
    for name in ("plate", "mesh"):
        (project / f"data/.stores/{name}.json").write_text(f'{{"lost": "version 1 of {name}"}}')
    (project / "data/plate/raw/good/1.png").write_bytes(b"an image")
    (project / "feedback/plate/a.png").write_bytes(b"a picture")
    write_frozen(project / "test_sets/plate", "spring", [Entry("good/1.png", "a", 0, "good", "")])
    line = Line.load("plate", project)
    mask = np.zeros((16, 16), bool)
    mask[:8] = True
    write_region(line.region_file, LineRegion(), mask)
    dvc("init", "-q", "--no-scm", cwd=project)
    (project / ".dvc" / "config").write_text(
        "[core]\n    no_scm = true\n    analytics = false\n    check_update = false\n")
    dvc("repro", "-q", "dagm_fit@plate", cwd=project)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setenv("MLFLOW_TRACKING_URI", tracking_uri(project))
        store = prepare(line)
        client, _ = opened(tracking_uri(project))  # whatever store another test looked at last
        logged = client.create_logged_model(store.experiment_id, name="detector")
        client.create_model_version("hdm-plate", f"models:/{logged.model_id}")
        client.set_registered_model_alias("hdm-plate", CHAMPION, "1")
        note(line, "promote", "1", "the first", replaced="")
    return project


@pytest.fixture
def plant(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the plant, whose store has its files there; we are in its folder."""
    project = Path(shutil.copytree(built, tmp_path / "plant"))
    with sqlite3.connect(project / "mlflow.db") as database:
        for table, column in (("experiments", "artifact_location"),
                              ("logged_models", "artifact_location"),
                              ("model_versions", "storage_location")):
            database.execute(f"update {table} set {column} = replace({column}, ?, ?)",
                             (str(built), str(project)))
    database.close()
    monkeypatch.chdir(project)
    return project


@pytest.fixture
def hdm(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """`hdm("lines", "list")` runs the command in this process; exit code and what was printed."""
    def call(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as left:
            main(list(arguments))
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out + err

    return call
