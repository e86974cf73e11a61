"""A registry that was restored, lost, or goes on elsewhere, against the line's decision log."""

import json
import shutil

import pytest
from crafted_store import MODEL, add_versions, crafted_project, model_folders

from hdm.errors import RegistryError
from hdm.registry.address import tracking_uri
from hdm.registry.continuity import unfitting
from hdm.registry.decision_log import decisions_file, note, noted
from hdm.registry.ledger import RETRAIN, Link, edit_ledger
from hdm.registry.mlflow_client import connect
from hdm.registry.model_versions import CHAMPION, aliases
from hdm.registry.promotion import put_in_service
from hdm.registry.retention import prune
from hdm.registry.store import prepare
from hdm.registry.tracking import stage_run


@pytest.fixture
def crafted(tmp_path, template):
    line = crafted_project(template, tmp_path / "hdm")
    shutil.copyfile(line.project / "mlflow.db", tmp_path / "backup.db")
    return line


@pytest.fixture
def client(crafted):
    return connect(tracking_uri(crafted.project))


def restore(line):
    shutil.copyfile(line.project.parent / "backup.db", line.project / "mlflow.db")


def promote_old(line, client):
    put_in_service(client, line, "1", "an older one is better")


def promote_new(line, client):
    add_versions(line, 1)
    put_in_service(client, line, "4", "better")


def hold_new(line, client):
    add_versions(line, 2)
    note(line, "hold", "5", "equal")


@pytest.mark.parametrize(("meanwhile", "said"), [
    (promote_old, "version 1 went into service"), (promote_new, "version 4 went into service"),
    (hold_new, "there was a version 5")])
def test_an_older_backup_is_said_and_nothing_is_deleted(crafted, client, meanwhile, said):
    assert unfitting(client, crafted) == ""
    meanwhile(crafted, client)
    assert unfitting(client, crafted) == ""
    restore(crafted)
    folders = model_folders(crafted.project)
    for dry_run in (True, False):
        with pytest.raises(RegistryError, match=f"{said}.*hdm promote plate VERSION"):
            prune(client, crafted, 0, dry_run=dry_run)
    assert model_folders(crafted.project) == folders
    assert len(client.search_model_versions(f"name = '{MODEL}'")) == 3
    put_in_service(client, crafted, "3", "so be it", action="approve")
    assert noted(crafted)[-1]["action"] == "approve" and aliases(client, MODEL)[CHAMPION] == "3"
    assert aliases(client, MODEL)["previous"] == "2", "the champion does not follow itself"
    assert unfitting(client, crafted) == "" and prune(client, crafted, 0) == [1]


def test_it_is_said_when_the_next_model_is_registered(crafted, client, caplog):
    promote_new(crafted, client)
    restore(crafted)
    with stage_run(crafted, "ingest", {}):
        pass
    assert "went into service" not in caplog.text
    with stage_run(crafted, "register", {}):
        pass
    assert "version 4 went into service" in caplog.text


def log_of_another_store(line):
    rows = [json.dumps({**entry, "store": "9@9", "version": "77"}) for entry in noted(line)]
    decisions_file(line).write_text("\n".join(rows) + "\n")


def log_before_the_store(line):
    rows = []
    for entry in noted(line):
        entry.pop("store")
        rows.append(json.dumps({**entry, "time": "2001-01-01T00:00:00.000+00:00",
                                "version": "77"}))
    decisions_file(line).write_text("\n".join(rows) + "\n")


def no_log(line):
    decisions_file(line).unlink()


def damaged_log(line):
    decisions_file(line).write_text('7\n"a"\n{"action": "promote"}\n{"time": 1, "action": "promote"'
                                    ', "version": "x"}\n[]\n')


@pytest.mark.parametrize("change", [log_of_another_store, log_before_the_store, no_log,
                                    damaged_log])
def test_a_log_that_says_nothing_of_this_store_contradicts_nothing(crafted, client, change):
    change(crafted)
    assert unfitting(client, crafted) == "" and prune(client, crafted, 0) == [1]


def test_a_store_that_goes_on_elsewhere_contradicts_nothing(crafted, client):
    """Another machine, with a log of its own, promotes at the same store."""
    log = decisions_file(crafted).read_bytes()
    promote_new(crafted, client)
    decisions_file(crafted).write_bytes(log)
    assert unfitting(client, crafted) == ""


def test_an_alias_that_was_moved_by_hand_contradicts_nothing(crafted, client):
    client.set_registered_model_alias(MODEL, CHAMPION, "1")
    assert unfitting(client, crafted) == ""
    assert prune(client, crafted, 0) == [3], "neither champion now nor previous"


def test_runs_that_the_store_lacks_are_said(crafted, client, caplog):
    with edit_ledger(crafted) as links:
        links[RETRAIN] = Link("f" * 32, prepare(crafted).key)
    with stage_run(crafted, "ingest", {}) as run:
        assert run.run_id
    assert "is not in the store" in caplog.text and "a new one is begun" in caplog.text
