"""docs/production/plant.sh: what it refuses, and a plant in plain folders, lost and restored.

Its life with a store of the S3 type is in tests/end_to_end/test_runbook.py.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from services import PROGRAMS, ROOT, free_port

SCRIPT = ROOT / "docs" / "production" / "plant.sh"
INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
needs_postgresql = pytest.mark.skipif(not INSTALLED, reason="PostgreSQL is not installed")


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that the user postgres may enter."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name).resolve()


def say(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("PLANT_", "MLFLOW_", "PREFECT_", "PG"))}
    return subprocess.run(
        ["sh", str(SCRIPT), *words], text=True, capture_output=True, timeout=300, env={
            **kept, "PATH": f"{PROGRAMS}:/usr/bin:/bin:/usr/sbin",
            "PLANT_FOLDER": str(folder / "plant"), **settings})


def refused(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done.stderr
    [sentence] = [row for row in done.stderr.splitlines() if row.startswith("error: ")]
    return sentence


def test_what_it_is_told_must_be_a_command(folder: Path) -> None:
    for words in ((), ("begin",), ("start", "now"), ("backup",), ("restore",)):
        done = say(folder, *words)
        assert done.returncode == 2 and "usage: " in done.stderr
    assert say(folder, "help").returncode == 0
    assert not list(folder.iterdir())


def test_settings_are_told_and_the_environment_comes_first(folder: Path) -> None:
    (folder / "plant").mkdir()
    (folder / "plant/settings").write_text("PLANT_HOST=plant.example.com\nPLANT_MLFLOW_PORT=5011\n")
    said = say(folder, "environment", PLANT_MLFLOW_PORT="5012").stdout.splitlines()
    assert said == ["export PREFECT_API_URL=http://plant.example.com:4200/api",
                    "export MLFLOW_TRACKING_URI=http://plant.example.com:5012"]


@needs_postgresql
def test_a_missing_program_is_named_with_its_cure(folder: Path) -> None:
    programs = folder / "programs"
    programs.mkdir()
    for name in ("python", "mlflow"):
        (programs / name).symlink_to(PROGRAMS / name)
    assert "there is no prefect; activate" in refused(
        say(folder, "start", PATH=f"{programs}:/usr/bin:/bin:/usr/sbin"))


@needs_postgresql
def test_data_of_a_version_that_is_gone_names_its_package(folder: Path) -> None:
    (folder / "plant/postgres").mkdir(parents=True)
    (folder / "plant/postgres/PG_VERSION").write_text("9\n")
    assert "apt-get install postgresql-9" in refused(say(folder, "start"))


@needs_postgresql
@pytest.mark.slow
def test_a_port_that_stays_taken_names_its_setting(folder: Path) -> None:
    pytest.importorskip("psycopg2")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = str(listener.getsockname()[1])
        assert refused(say(folder, "start", PLANT_POSTGRES_PORT=port)) == (
            f"error: port {port} is taken; name another in PLANT_POSTGRES_PORT")
    assert (folder / "plant/passwords").stat().st_mode & 0o777 == 0o600
    assert say(folder, "status").returncode == 3
    assert "does not run; say start" in refused(say(folder, "backup", str(folder / "backup")))


@needs_postgresql
def test_only_a_whole_backup_is_restored(folder: Path) -> None:
    pytest.importorskip("psycopg2")
    backup = folder / "backup"
    backup.mkdir()
    assert "expected a folder that backup made" in refused(say(folder, "restore", str(backup)))
    (backup / "SHA256SUMS").write_text(f"{'0' * 64}  ./mlflow.dump\n")
    (backup / "mlflow.dump").write_bytes(b"half")
    assert "nothing was changed" in refused(say(folder, "restore", str(backup)))
    assert not (folder / "plant/postgres").exists()


@needs_postgresql
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_plant_in_folders_is_lost_and_restored(folder: Path) -> None:
    pytest.importorskip("psycopg2")
    ports = {f"PLANT_{name}_PORT": str(free_port()) for name in ("PREFECT", "MLFLOW", "POSTGRES")}
    registry = f"http://127.0.0.1:{ports['PLANT_MLFLOW_PORT']}"
    backup = folder / "backup"
    try:
        assert f"MLFLOW_TRACKING_URI={registry}" in say(folder, "start", **ports).stdout
        client = mlflow.MlflowClient(registry)
        run = client.create_run(client.create_experiment("hdm/line")).info.run_id
        client.log_text(run, "kept", "below/note.txt")
        assert say(folder, "status").returncode == 0
        assert "other ones than it runs with" in refused(say(folder, "start", PLANT_HOST="plant"))
        assert say(folder, "backup", str(backup)).returncode == 0
        assert "there already" in refused(say(folder, "backup", str(backup)))
        assert "there is a plant" in refused(say(folder, "restore", str(backup)))
        assert say(folder, "stop").returncode == 0
        shutil.rmtree(folder / "plant")
        assert say(folder, "restore", str(backup), **ports).returncode == 0
        assert say(folder, "start").returncode == 0
        note = client.download_artifacts(run, "below/note.txt", str(folder))
        assert Path(note).read_text() == "kept"
    finally:
        say(folder, "stop", **ports)
