"""`hdm inbox` from the command line, with real DVC."""

import io
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from hdm.commands import take_in as command
from hdm.line import Line
from hdm.orchestration import data_version
from hdm.stage_run import NoRun
from hdm.stages import configure, ingest

PIPELINES = """\
sample_lines: [drawn]
lines:
  plates:
    inbox: ../inbox
    source: {path: data/plates/raw, format: folder}
  drawn:
    inbox: ../inbox
    source: {path: data/drawn/raw}
  tables:
    inbox: ../inbox
    source: {path: data/t.csv, format: table}
  closed:
    source: {path: data/plates/raw}
"""


def draw(file, seed, low=90, high=160):
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(low, high, (40, 48), np.uint8)
    Image.fromarray(pixels).save(file)
    os.utime(file, (time.time() - 3600,) * 2)


def run(*words, cwd):
    subprocess.run([str(Path(sys.executable).parent / words[0]), *words[1:]]
                   if words[0] == "dvc" else list(words), cwd=cwd, check=True, capture_output=True)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A project under git and DVC, with one line of its own and something in its inbox."""
    folder = tmp_path_factory.mktemp("inbox")
    project = folder / "plant"
    project.mkdir()
    run("git", "init", "-q", cwd=project)
    run("dvc", "init", "-q", cwd=project)
    root = Path(__file__).parents[2]
    shutil.copyfile(root / ".gitignore", project / ".gitignore")
    (project / "pipelines.yaml").write_text(PIPELINES)
    (project / "params.yaml").write_text("{}\n")
    for n in range(24):
        draw(project / f"data/plates/raw/good/{n:02d}.png", n)
    for n in range(3):
        draw(project / f"data/plates/raw/dent/{n}.png", 100 + n)
    (project / "data/t.csv").write_text("path\n")
    for name, seed in (("good/00.png", 200), ("good/new.png", 201), ("dent/new.png", 202),
                       ("loose.png", 203), ("good/copy.png", 5)):
        draw(folder / "inbox" / name, seed)
    draw(folder / "inbox/good/bright.png", 204, 200, 256)
    return folder


@pytest.fixture
def project(template, tmp_path, monkeypatch):
    shutil.copytree(template, tmp_path / "x")
    monkeypatch.chdir(tmp_path / "x/plant")
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    return tmp_path / "x/plant"


@pytest.fixture
def ingested(project):
    line, console = Line.load("plates"), Console(file=io.StringIO())
    configure.run(line, console)
    ingest.run(line, line.stage_params("ingest"), NoRun(), console)
    return project


def tree(folder):
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*")
                  if file.is_file())


def test_the_whole_way(hdm, ingested) -> None:
    inbox, raw = ingested.parent / "inbox", ingested / "data/plates/raw"
    before = tree(inbox), tree(raw)
    planned = hdm("inbox", "plates", "--dry-run")
    assert planned.code == 0, planned.err
    assert "3 images would be taken in, 2 files put in quarantine" in planned.out
    assert (tree(inbox), tree(raw)) == before
    assert not (ingested / "data/plates/raw.dvc").exists()

    found = hdm("inbox", "plates")
    assert found.code == 0, found.err
    assert "3 images taken in (2 good, 1 defective), 2 files put in quarantine" in found.out
    assert "good/copy.png: Its pixels are those of good/05.png in the line." in found.out
    assert "good/bright.png: Not true of this image: the brightness of good images" in found.out
    assert "left in the inbox: loose.png: it has no label" in found.out
    assert tree(inbox) == ["loose.png"]
    new = set(tree(raw)) - set(before[1])
    assert {"good/new.png", "dent/new.png"} < new
    assert len(new) == 3
    (record,) = map(json.loads, (ingested / "data/plates/intake.jsonl").read_text().splitlines())
    assert record["data_version"] in (ingested / "data/plates/raw.dvc").read_text()
    assert record["data_version"] in found.out
    day = record["refused"][0]["quarantine"][:10]
    assert tree(ingested / "data/plates/quarantine") == [
        f"{day}/good/bright.png", f"{day}/good/copy.png", f"{day}/reasons.csv"]

    again = hdm("inbox", "plates")
    assert "nothing new in" in again.out
    assert len((ingested / "data/plates/intake.jsonl").read_text().splitlines()) == 1
    labelled = hdm("inbox", "plates", "--as", "good")
    assert "1 images taken in (1 good" in labelled.out
    assert tree(inbox) == []
    assert record["data_version"] not in (ingested / "data/plates/raw.dvc").read_text()


def test_what_was_taken_in_is_known_before_it_is_ingested(hdm, ingested) -> None:
    hdm("inbox", "plates")
    draw(ingested.parent / "inbox/good/again.png", 201)
    assert "Its pixels are those of good/new.png in the line" in hdm("inbox", "plates").out


def test_when_dvc_fails_the_intake_is_finished_by_the_next_call(hdm, ingested, monkeypatch
                                                                ) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(data_version.child_process, "dvc", lambda *_: ["sh", "-c", "echo 'ERROR: no "
                                                             "space.'; exit 1"])
        failed = hdm("inbox", "plates")
    assert failed.code == 2
    assert "DVC did not make a version of it: no space; mend that and run `hdm inbox plates`" \
        in failed.err
    assert "was interrupted; `hdm inbox plates` finishes it" in hdm(
        "inbox", "plates", "--dry-run").out
    finished = hdm("inbox", "plates")
    assert "finishing the intake of" in finished.out
    assert "3 images taken in" in finished.out
    assert tree(ingested.parent / "inbox") == ["loose.png"]
    assert len((ingested / "data/plates/intake.jsonl").read_text().splitlines()) == 1


def test_a_source_outside_or_ignored_by_git_gets_no_version(project, monkeypatch) -> None:
    monkeypatch.setattr(data_version.child_process, "dvc", lambda *_: pytest.fail("DVC was called"))
    (project / "cameras").mkdir()
    with (project / ".gitignore").open("a") as stream:
        stream.write("/cameras/\n")
    text = PIPELINES.replace("data/plates/raw, format", "cameras/plates, format")
    for path in ("cameras/plates", "../outside"):
        (project / "pipelines.yaml").write_text(text.replace("cameras/plates", path))
        assert data_version.new_version(Line.load("plates", project)) == ""


def test_a_line_that_was_never_read_leaves_its_inbox(hdm, project) -> None:
    before = tree(project.parent / "inbox")
    found = hdm("inbox", "plates")
    assert found.code == 0
    assert "has not been read yet" in found.out
    assert tree(project.parent / "inbox") == before


@pytest.mark.parametrize(("words", "part"), [
    (("closed",), "closed has no inbox; add `inbox: FOLDER`"),
    (("drawn",), "are drawn by `hdm samples`, which would throw new ones away"),
    (("tables",), "of the format folder or mvtec"),
    (("plates", "--as", "a/b"), "expected good or the name of a defect"),
    (("nobody",), "no product line 'nobody'"),
])
def test_what_cannot_be_is_one_sentence(hdm, project, words, part) -> None:
    found = hdm("inbox", *words)
    assert (found.code, found.err.count("\n")) == (2, 1)
    assert part in found.err


def test_an_inbox_that_is_missing_or_in_the_source_is_one_sentence(hdm, project) -> None:
    for path, part in (("../nowhere", "expected the inbox folder"),
                       ("data/plates/raw/in", "expected an inbox outside the source"),
                       ("data", "expected an inbox outside the source")):
        (project / "pipelines.yaml").write_text(PIPELINES.replace("../inbox", path, 1))
        assert part in hdm("inbox", "plates").err


def test_retrain_runs_the_line_afterwards(hdm, ingested, monkeypatch) -> None:
    from hdm.commands import run_line

    runs = []
    monkeypatch.setattr(command, "_take_in", lambda *_: runs.append("taken in"))
    monkeypatch.setattr(run_line, "run", runs.append)
    assert hdm("inbox", "plates", "--retrain").code == 0
    assert runs == ["taken in", "plates"]


def test_a_person_labels_and_rejects_single_files(hdm, ingested, monkeypatch) -> None:
    monkeypatch.setenv("HDM_ACTOR", "ann")
    inbox = ingested.parent / "inbox"
    found = hdm("inbox", "plates", "--label", "loose.png=dent")
    assert (found.code, found.out) == (
        0, "plates: loose.png is dent; `hdm inbox plates` takes it in\n")
    assert (inbox / "dent/loose.png").is_file()
    refused = hdm("inbox", "plates", "--reject", "good/new.png")
    assert refused.code == 2 and "expected --why" in refused.err
    found = hdm("inbox", "plates", "--reject", "good/new.png", "--why", "other lamp")
    assert "1 files put in quarantine" in found.out
    assert "good/new.png: Rejected: other lamp (ann)." in found.out
    assert "good/bright.png" in tree(inbox), "nothing else is done"
