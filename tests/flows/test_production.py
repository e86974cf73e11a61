"""docs/production: the compose file is checked by reading it, its servers are started by hand."""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from postgres_server import Postgres
from ruamel.yaml import YAML
from services import PROGRAMS, ROOT, Prefect, free_port, kill, wait_for
from toy import make_deployable, make_project

FOLDER = ROOT / "docs" / "production"
TEXT = (FOLDER / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE = YAML(typ="safe").load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONCE = {"bucket", "deployments"}
OURS = {name for name, service in SERVICES.items() if service["image"].startswith("hdm:")}


def test_images_are_pinned() -> None:
    for name, service in SERVICES.items():
        assert re.fullmatch(r"[\w/]+:[\w.-]*\d[\w.-]*", service["image"]), name
    assert re.search(r"^FROM \w+:\d+\.\d+\.\d+\S*$", (FOLDER / "Dockerfile").read_text(),
                     re.MULTILINE)


def test_every_service_is_watched_and_waits_for_what_it_needs() -> None:
    for name, service in SERVICES.items():
        assert ("healthcheck" in service) == (name not in ONCE), name
        assert name in ONCE or service["restart"] == "unless-stopped", name
        for needed, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if needed in ONCE else "service_healthy"
            assert how == {"condition": wanted}, (name, needed)
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name


def test_volumes_and_files_exist() -> None:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", ()):
            source = re.sub(r"\$\{(\w+).*?\}", r"$\1", volume).split(":")[0]
            assert source.startswith("$") or source in COMPOSE["volumes"] \
                or (FOLDER / source).is_file(), (name, volume)
    for line in (FOLDER / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY "):
            assert all((ROOT / word).exists() for word in line.split()[1:-1]), line


def test_secrets_and_places_come_from_the_environment() -> None:
    example = dict(line.split("=", 1) for line in (FOLDER / ".env.example").read_text().split("\n")
                   if "=" in line and not line.startswith("#"))
    used = re.findall(r"\$\{(\w+)(:\?)?\}", TEXT)
    assert {name for name, _ in used} == set(example)
    assert all(required for _, required in used)
    secret = re.compile(r"PASSWORD|SECRET|KEY|TOKEN")
    assert not [name for name, value in example.items() if secret.search(name) and value]
    for name, service in SERVICES.items():
        for key, value in service.get("environment", {}).items():
            if secret.search(key):
                assert re.fullmatch(r"\$\{\w+:\?\}", value), (name, key)
    assert not re.search(r"://[\w.-]+:[\w.-]+@", TEXT)  # user:password@ in an address


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_option_of_a_command_exists(name: str) -> None:
    words = shlex.split(re.sub(r"\$\{(\w+):\?\}", r"\1", SERVICES[name]["command"]))
    command = list(words[:next((n for n, word in enumerate(words) if word.startswith("-")),
                               len(words))])
    start = ["python", "-m", "hdm"] if command[0] == "hdm" else [command[0]]
    said = subprocess.run(
        [str(PROGRAMS / start[0]), *start[1:], *command[1:], "--help"], cwd=ROOT, text=True,
        capture_output=True, env={**os.environ, "COLUMNS": "200"}, check=True).stdout
    for flag in (word for word in words if word.startswith("--")):
        assert re.search(rf"{flag}\b", said), f"{' '.join(command)} {flag}"


def test_the_extra_that_the_image_installs_exists() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"]
    [name] = re.findall(r'"\.\[(\w+)\]"', (FOLDER / "Dockerfile").read_text())
    assert any(package.startswith("psycopg2") for package in extras[name])


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    pytest.importorskip("psycopg2")
    if not all(shutil.which(name) for name in ("initdb", "pg_ctl", "psql")):
        pytest.skip("PostgreSQL is not installed")
    # Its socket's path must be short, and its user must reach it.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = Postgres(Path(folder))
        try:
            yield server
        finally:
            server.stop()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_prefect_and_mlflow_on_postgresql(postgres: Postgres, tmp_path: Path) -> None:
    project = make_deployable(make_project(tmp_path / "plant"))
    services = Prefect(project, tmp_path / "home", PREFECT_API_DATABASE_CONNECTION_URL=(
        postgres.address("asyncpg", "prefect")), MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false")
    port = free_port()
    mlflow = services.start(
        "mlflow", "server", "--backend-store-uri", postgres.address("psycopg2", "mlflow"),
        "--artifacts-destination", str(tmp_path / "artifacts"), "--port", str(port),
        "--workers", "1", "--allowed-hosts", f"127.0.0.1:{port}", log="mlflow.log")
    try:
        services.server()
        services.call("python", "-m", "hdm", "deployments", "apply")
        services.worker()
        run = services.request("hdm-retrain/good")
        assert services.ended(run)["name"] == "Promoted"
        assert postgres.rows("prefect", "select state_name from flow_run") == ["Promoted"]
        wait_for(lambda: mlflow.poll() is None and answers(port), 120, "MLflow answers")
        services.call("python", "-c", "import mlflow\n"
                      f"mlflow.set_tracking_uri('http://127.0.0.1:{port}')\n"
                      "mlflow.set_experiment('hdm/good'); mlflow.log_metric('image_auroc', 0.97)\n"
                      "mlflow.log_text('x', 'note.txt')")
        assert postgres.rows("mlflow", "select key, value from metrics") == ["image_auroc|0.97"]
        assert len(list((tmp_path / "artifacts").rglob("note.txt"))) == 1
    finally:
        services.stop()
        kill(mlflow)


def answers(port: int) -> bool:
    """Whether the MLflow server answers."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
        return bool(answer.status == 200)
