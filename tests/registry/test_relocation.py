"""Copied, moved and renamed projects: nothing of the other one is touched, and all works again."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from crafted_store import (
    MODEL,
    add_versions,
    copied,
    copied_inside,
    crafted_project,
    forget_store,
    hashes,
    model_folders,
    moved,
    renamed,
)
from registry_lines import make_line

from hdm.errors import RegistryError
from hdm.registry.address import tracking_uri
from hdm.registry.artifact_root import check_location, foreign_folders
from hdm.registry.fetch import fetch, live_version
from hdm.registry.mlflow_client import connect
from hdm.registry.model_versions import aliases
from hdm.registry.promotion import put_in_service, roll_back
from hdm.registry.relocation import relocate
from hdm.registry.retention import prune
from hdm.registry.tracking import stage_run

PLACES = [copied, copied_inside, moved, renamed]


@pytest.fixture
def original(tmp_path, template) -> Path:
    return crafted_project(template, tmp_path / "öde platte" / "hdm").project


def without(files: dict[str, str], folder: str) -> dict[str, str]:
    return {name: value for name, value in files.items() if not name.startswith(folder)}


@pytest.mark.parametrize("go", PLACES)
def test_until_it_is_relocated_nothing_is_written_or_deleted(original, go):
    before = original.parent
    there = go(original)
    line, files = make_line(there), hashes(before)
    assert live_version(line) == "3", "what the database alone says is still read"
    for use in (lambda: connect(tracking_uri(there)),
                lambda: fetch(line, f"models:/{MODEL}@champion"),
                lambda: stage_run(line, "ingest", {}).__enter__()):
        with pytest.raises(RegistryError, match=f"{original}.*outside.*hdm registry relocate"):
            use()
    after = {name: value for name, value in hashes(before).items() if ".hdm/" not in name}
    assert after == {name: value for name, value in files.items() if ".hdm/" not in name}


@pytest.mark.parametrize("go", PLACES)
def test_everything_works_in_the_new_place_and_the_old_one_is_left_alone(original, go):
    whole = hashes(original)
    there = go(original)
    line, file = make_line(there), there / "mlflow.db"
    planned = relocate(file, dry_run=True)
    assert planned.backup is None and foreign_folders(file)
    done = relocate(file)
    assert done.rows == planned.rows and done.rows["runs"] == 1
    assert done.rows["model_versions"] == done.rows["logged_models"] == 3
    assert list(done.before) == [original / "mlruns"] and done.now == there / "mlruns"
    assert foreign_folders(file) == [] and not relocate(file).rows
    with sqlite3.connect(done.backup) as backup:
        [(kept,)] = backup.execute("select artifact_location from experiments "
                                   "where name = 'hdm/plate'")
    backup.close()
    assert kept == (original / "mlruns").as_uri()

    client = connect(tracking_uri(there))
    assert fetch(line, f"models:/{MODEL}@champion").folder.is_relative_to(there)
    put_in_service(client, line, "1", "a trial")
    assert roll_back(client, line, "back") == "3"
    put_in_service(client, line, "2", "another")
    assert prune(client, line, 0) == [1]
    assert len(model_folders(there)) == 2
    add_versions(line, 1)
    assert len(model_folders(there)) == 3
    with stage_run(line, "ingest", {}) as run:
        run.log_text("note.txt", "made there")
    assert len(list(there.glob("mlruns/*/artifacts/note.txt"))) == 1
    if go in (copied, copied_inside):
        assert without(hashes(original), "trial/") == whole
        forget_store()
        assert live_version(make_line(original)) == "3"
    else:
        assert not original.exists()


def test_a_project_reached_through_a_link_needs_nothing(original, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(original, target_is_directory=True)
    assert foreign_folders(link / "mlflow.db") == []
    assert prune(connect(tracking_uri(link)), make_line(link), 0) == [1]
    target = original.rename(tmp_path / "moved")
    original.symlink_to(target, target_is_directory=True)
    assert foreign_folders(target / "mlflow.db") == [], "the old name still leads here"


def test_files_that_did_not_come_along_are_asked_for(original):
    there = copied(original)
    shutil.rmtree(there / "mlruns")
    database = (there / "mlflow.db").read_bytes()
    with pytest.raises(RegistryError, match=r"files of 4 runs or models.*copy that folder"):
        relocate(there / "mlflow.db")
    assert (there / "mlflow.db").read_bytes() == database
    shutil.copytree(original / "mlruns", there / "mlruns")
    assert relocate(there / "mlflow.db").rows


def test_files_that_are_nowhere_hinder_nothing(original):
    for folder in (original / "mlruns" / "models").iterdir():
        shutil.rmtree(folder)
        break
    assert relocate(renamed(original) / "mlflow.db").rows["logged_models"] == 3


@pytest.mark.parametrize("go", [copied, moved, renamed])
def test_a_link_to_a_larger_disk_is_not_shared_with_a_copy(original, tmp_path, go):
    disk = tmp_path / "disk"
    (original / "mlruns").rename(disk)
    (original / "mlruns").symlink_to(disk, target_is_directory=True)
    assert foreign_folders(original / "mlflow.db") == []
    there = go(original)
    if go is not copied:
        assert relocate(there / "mlflow.db").rows
        return
    with pytest.raises(RegistryError, match=r"is a link to .*put a copy"):
        relocate(there / "mlflow.db")
    (there / "mlruns").unlink()
    shutil.copytree(disk, there / "mlruns")
    assert relocate(there / "mlflow.db").rows


def test_what_is_not_ours_stays_as_it_is(original):
    client = connect(tracking_uri(original))
    kept = {"cloud": "s3://shelf/plates", "disk": "file:///nfs/plates"}
    for name, location in kept.items():
        client.create_experiment(name, location)
    there = copied(original)
    relocate(there / "mlflow.db")
    client = connect(tracking_uri(there))
    for name, location in kept.items():
        assert client.get_experiment_by_name(name).artifact_location == location


def test_a_database_in_use_is_one_sentence(original, monkeypatch):
    there = copied(original)
    monkeypatch.setattr("hdm.registry.relocation.PATIENCE", 0.1)
    with sqlite3.connect(there / "mlflow.db", isolation_level=None) as busy:
        busy.execute("begin immediate")
        with pytest.raises(RegistryError, match="locked"):
            relocate(there / "mlflow.db")
    busy.close()
    assert not list(there.glob("mlflow.db.*"))


@pytest.mark.parametrize("location", ["file:///elsewhere/mlruns/models/m-1/artifacts",
                                      "/elsewhere/mlruns", "file:///elsewhere/../elsewhere/x"])
def test_a_single_place_outside_is_refused(original, location):
    with pytest.raises(RegistryError, match="elsewhere"):
        check_location(tracking_uri(original), location)
    check_location(tracking_uri(original), (original / "mlruns" / "models").as_uri())
    check_location("http://127.0.0.1:5000", location)


def test_nothing_is_deleted_elsewhere_though_only_one_model_says_so(original):
    """The store's experiment is right, a single record is not."""
    outside = original.parent / "other"
    [victim, *_] = sorted((original / "mlruns" / "models").iterdir())
    line, client = make_line(original), connect(tracking_uri(original))
    with sqlite3.connect(original / "mlflow.db") as database:
        database.execute("update logged_models set artifact_location = ?",
                         ((outside / victim.name / "artifacts").as_uri(),))
    database.close()
    shutil.copytree(victim, outside / victim.name)
    files = hashes(outside)
    with pytest.raises(RegistryError, match="other"):
        prune(client, line, 0)
    assert hashes(outside) == files and aliases(client, MODEL)["champion"] == "3"
    assert len(client.search_model_versions(f"name = '{MODEL}'")) == 3
