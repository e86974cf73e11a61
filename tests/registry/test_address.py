"""Where the store is and what happens if it does not answer."""

import os
import time

import pytest

from hdm.errors import RegistryError
from hdm.registry.address import (
    check_reachable,
    sqlite_file,
    tracking_off,
    tracking_uri,
    without_password,
)


def test_the_default_is_a_file_of_the_project(tmp_path):
    assert tracking_uri(tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"
    assert sqlite_file(tracking_uri(tmp_path)) == tmp_path / "mlflow.db"


def test_a_relative_file_belongs_to_the_project_whatever_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///stores/a.db")
    assert tracking_uri(tmp_path) == f"sqlite:///{tmp_path}/stores/a.db"


def test_other_addresses_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert tracking_uri(tmp_path) == "http://127.0.0.1:5000"
    assert sqlite_file("http://127.0.0.1:5000") is None


@pytest.mark.parametrize("uri", [
    "http://127.0.0.1:9", "postgresql+psycopg2://user:secret@127.0.0.1:9/mlflow"])
def test_a_silent_server_is_one_sentence_within_seconds(uri):
    start = time.monotonic()
    with pytest.raises(RegistryError, match=r"127\.0\.0\.1:9.*cannot be used.*MLFLOW_TRACKING_URI"
                       ) as caught:
        check_reachable(uri)
    assert time.monotonic() - start < 6
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "mlflow.db").write_text("this is a text file, not a database")
    with pytest.raises(RegistryError, match="not a database"):
        check_reachable(tracking_uri(tmp_path))


def test_read_only_file_and_folder(tmp_path, monkeypatch):
    (tmp_path / "mlflow.db").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(RegistryError, match="read-only"):
        check_reachable(tracking_uri(tmp_path))


def test_a_store_below_a_file_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RegistryError, match="cannot be used"):
        check_reachable(f"sqlite:///{tmp_path}/file/deeper/mlflow.db")


def test_a_folder_of_files_is_refused():
    with pytest.raises(RegistryError, match="sqlite:////absolute"):
        check_reachable("file:///tmp/mlruns")


def test_passwords_are_not_shown():
    assert without_password("mysql://me:pw@host/db") == "mysql://me:***@host/db"
    assert without_password("http://host:5000") == "http://host:5000"


@pytest.mark.parametrize(("value", "off"), [("off", True), ("OFF", True), ("0", True),
                                            ("on", False), ("", False)])
def test_switch(monkeypatch, value, off):
    monkeypatch.setenv("HDM_TRACKING", value)
    assert tracking_off() is off
