"""`hdm registry relocate` as it is typed, and what the commands say before."""

import os
from pathlib import Path

import pytest
from crafted_store import copied, crafted_project, forget_store, hashes, moved, renamed

from hdm.cli import main

PLACES = [copied, moved, renamed]


@pytest.fixture
def original(tmp_path, template) -> Path:
    project = crafted_project(template, tmp_path / "a" / "hdm").project
    (project / "pipelines.yaml").write_text("lines: {plate: {source: {path: raw}}}\n")
    (project / "params.yaml").write_text("retention: {versions: 1}\n")
    return project


@pytest.fixture
def hdm(monkeypatch, capsys):
    """`hdm(folder, "registry", "relocate")`: exit code, output and errors."""
    def run(folder, *arguments):
        monkeypatch.chdir(folder)
        forget_store()
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main(list(arguments))
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return run


@pytest.mark.parametrize("go", PLACES)
def test_each_command_says_the_way_out_and_then_works(hdm, original, go):
    there = go(original)
    commands = (("promote", "plate", "1"), ("rollback", "plate", "--why", "t"),
                ("pin", "plate", "1"), ("prune", "plate"))
    for command in commands:
        code, _, err = hdm(there, *command)
        assert code == 6 and err.count("\n") == 1 and err.startswith("error: "), err
        assert str(original) in err and "`hdm registry relocate`" in err
    assert hdm(there, "history", "plate")[0] == 0, "reads the database alone"

    code, out, err = hdm(there, "registry", "relocate", "--dry-run")
    assert code == 0 and "would rewrite" in out and not err
    assert hdm(there, "prune", "plate")[0] == 6, "a dry run changes nothing"
    (there / "data").mkdir(exist_ok=True)
    code, out, _ = hdm(there / "data", "registry", "relocate")
    assert code == 0 and f"{original / 'mlruns'} -> {there / 'mlruns'}" in out
    assert "3 model_versions" in out and "mlflow.db.before-relocation-" in out
    assert "nothing to relocate" in hdm(there, "registry", "relocate")[1]
    for command in commands:
        code, _, err = hdm(there, *command)
        assert code == 0, err


def test_the_copys_retention_spares_the_original(hdm, original):
    before = hashes(original)
    there = copied(original)
    assert hdm(there, "registry", "relocate")[0] == 0
    for version in ("1", "2", "1"):
        assert hdm(there, "promote", "plate", version, "--even-refused", "--why", "t")[0] == 0
    assert hdm(there, "prune", "plate")[1] == "nothing to delete\n"
    (there / "params.yaml").write_text("retention: {versions: 1}\nseed: 4\n")
    assert hdm(there, "pin", "plate", "1")[0] == 0
    assert hashes(original) == before


@pytest.mark.parametrize("address", ["http://me:secret@mlflow.example", "https://mlflow.example"])
def test_a_server_keeps_its_files_itself(hdm, original, monkeypatch, address):
    before = hashes(original)
    monkeypatch.chdir(original)
    monkeypatch.setattr("hdm.commands.relocate_registry.tracking_uri", lambda _: address)
    code, out, _ = hdm(original, "registry", "relocate")
    assert code == 0 and "keeps its files itself" in out and "secret" not in out
    assert hashes(original) == before and "MLFLOW_TRACKING_URI" not in os.environ


@pytest.mark.parametrize("words", [(), ("relocate",)])
def test_outside_a_project_or_without_a_store(hdm, tmp_path, words):
    code, out, err = hdm(tmp_path, "registry", *words)
    assert "Traceback" not in out + err and code == 2
    (tmp_path / "pipelines.yaml").write_text("lines: {}\n")
    if words:
        code, out, _ = hdm(tmp_path, "registry", *words)
        assert code == 0 and "nothing to relocate" in out
        assert not (tmp_path / "mlflow.db").exists()
