"""A database is read whatever its last writer died of, and never changed."""

import signal
import sqlite3
import subprocess
import sys

import pytest

from hdm.registry.address import check_reachable
from hdm.registry.artifact_root import foreign_folders
from hdm.registry.quick_client import SqliteClient
from hdm.registry.relocation import _backup
from hdm.registry.sqlite_reading import reading

WRITER = """
import os, signal, sqlite3, sys
store = sqlite3.connect(sys.argv[1], isolation_level=None)
store.executescript("create table alembic_version (v); create table registered_model_aliases "
                    "(name, alias, version); pragma cache_size = 1; begin;")
store.executemany("insert into alembic_version values (?)", [("x" * 999,)] * 999)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def killed(tmp_path):
    """A database whose writer was killed after a part of its change had come to the file."""
    file = tmp_path / "mlflow.db"
    died = subprocess.run([sys.executable, "-c", WRITER, str(file)])
    assert died.returncode == -signal.SIGKILL and file.with_name("mlflow.db-journal").stat().st_size
    with pytest.raises(sqlite3.Error, match="readonly"):
        sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True).execute(
            "select * from alembic_version")
    return file


@pytest.mark.parametrize("look", [
    lambda file: check_reachable(f"sqlite:///{file}"),
    lambda file: foreign_folders(file),
    lambda file: SqliteClient(file)._rows("select * from registered_model_aliases where name = ?",
                                          "x"),
    lambda file: _backup(file)])
def test_a_killed_writer_stops_nobody(killed, look):
    look(killed)
    with reading(killed) as found:
        assert found.execute("select count(*) from alembic_version").fetchone() == (0,)


def test_nothing_is_changed_or_made(tmp_path):
    file = tmp_path / "a.db"
    with pytest.raises(sqlite3.OperationalError, match="unable to open"), reading(file):
        pass
    sqlite3.connect(file).execute("create table a (b)").connection.close()
    with reading(file) as found, pytest.raises(sqlite3.OperationalError, match="readonly"):
        found.execute("insert into a values (1)")
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]
