"""The store is created once and recognised without importing mlflow."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from registry_lines import make_line

from hdm.errors import RegistryError
from hdm.registry import store
from hdm.registry.address import tracking_uri
from hdm.registry.quick_client import SqliteClient
from hdm.registry.store import Store, has_version, identify, prepare

PREPARE = """
import sys, time
from pathlib import Path
from hdm.pipelines import ProductLine, Source
from hdm.settings import Params
from hdm.line import Line
from hdm.registry.store import prepare
line = Line(sys.argv[2], Path(sys.argv[1]), ProductLine(source=Source(path="raw")), Params())
start = time.monotonic()
print(prepare(line).key, "mlflow" in sys.modules, time.monotonic() - start)
"""


def prepare_elsewhere(project: Path, name: str = "plate") -> subprocess.Popen:
    root = Path(store.__file__).parents[2]
    return subprocess.Popen([sys.executable, "-c", PREPARE, str(project), name], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env={**os.environ, "PYTHONPATH": str(root)})


def test_two_processes_creating_one_store_do_not_break_it(tmp_path):
    processes = [prepare_elsewhere(tmp_path), prepare_elsewhere(tmp_path, "mesh")]
    answers = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], answers
    assert identify(tracking_uri(tmp_path), "plate").experiment_id != \
        identify(tracking_uri(tmp_path), "mesh").experiment_id
    assert not [err for _, err in answers if "Traceback" in err]


def test_a_known_store_is_recognised_without_mlflow_and_at_once(line):
    process = prepare_elsewhere(line.project)
    output, errors = process.communicate(timeout=60)
    key, imported, seconds = output.split()
    assert key == prepare(line).key, errors
    assert imported == "False"
    assert float(seconds) < 0.3


def test_identity_is_stable_and_kept_by_a_second_call(line):
    assert prepare(line) == prepare(line) == identify(tracking_uri(line.project), "plate")


def test_no_file_and_an_empty_file_are_missing(tmp_path):
    assert identify(tracking_uri(tmp_path), "plate") is None
    (tmp_path / "mlflow.db").touch()
    assert identify(tracking_uri(tmp_path), "plate") is None


def test_another_line_is_added_to_a_store(line, client):
    mesh = make_line(line.project, "mesh")
    assert identify(tracking_uri(line.project), "mesh") is None
    assert prepare(mesh).experiment_id != prepare(line).experiment_id
    experiment = client.get_experiment_by_name("hdm/mesh")
    assert experiment.artifact_location.startswith((line.project / "mlruns").as_uri())
    assert client.get_registered_model("hdm-mesh").tags["owner"] == "quality@example.com"


def test_a_deleted_model_gets_another_identity(line, client):
    before = prepare(line)
    client.delete_registered_model("hdm-plate")
    assert identify(tracking_uri(line.project), "plate") is None
    after = prepare(line)
    assert after.key == before.key
    assert after.model_created > before.model_created


def test_a_deleted_experiment_is_restored(line, client):
    before = prepare(line)
    client.delete_experiment(before.experiment_id)
    assert identify(tracking_uri(line.project), "plate") is None
    assert prepare(line) == before


def test_an_unknown_table_layout_is_left_to_the_client(line, client, monkeypatch):
    before = prepare(line)

    def surprised(*_):
        raise sqlite3.OperationalError("no such column")

    monkeypatch.setattr(SqliteClient, "_rows", surprised)
    assert identify(tracking_uri(line.project), "plate") == before
    assert identify(tracking_uri(line.project), "mesh") is None
    assert has_version(tracking_uri(line.project), "hdm-plate", "1")


@pytest.mark.parametrize("name", ["hdm-plate", "hdm-nothing"])
def test_the_quick_client_reads_what_mlflow_reads(line, client, name):
    for number in range(3):
        made = client.create_model_version("hdm-plate", str(line.project),
                                           tags={"hdm.decision": f"said {number}"})
    client.set_registered_model_alias("hdm-plate", "champion", "2")
    client.delete_model_version("hdm-plate", made.version)
    quick = SqliteClient(line.project / "mlflow.db")
    ours, theirs = ({int(v.version): (v.tags, v.creation_timestamp, v.run_id or "")
                     for v in asked.search_model_versions(f"name = '{name}'")}
                    for asked in (quick, client))
    assert ours == theirs
    if name == "hdm-plate":
        assert sorted(ours) == [1, 2]
        ours, theirs = (asked.get_registered_model(name) for asked in (quick, client))
        assert ours.creation_timestamp == theirs.creation_timestamp
        assert ours.aliases == theirs.aliases == {"champion": 2}


def test_versions_are_looked_up(line, client):
    uri = tracking_uri(line.project)
    assert not has_version(uri, "hdm-plate", "1")
    made = client.create_model_version("hdm-plate", str(line.project))
    assert has_version(uri, "hdm-plate", made.version)
    client.delete_model_version("hdm-plate", made.version)
    assert not has_version(uri, "hdm-plate", made.version)


class Server(BaseHTTPRequestHandler):
    """Answers like an MLflow server that knows the line `plate` and version 1."""

    def do_GET(self):
        query = {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
        known = query in ({"experiment_name": "hdm/plate"}, {"name": "hdm-plate"},
                          {"name": "hdm-plate", "version": "1"})
        if self.headers.get("Authorization") != "Bearer key":
            self._answer(401, {"message": "who are you"})
        elif not known:
            self._answer(404, {"error_code": "RESOURCE_DOES_NOT_EXIST"})
        else:
            self._answer(200, {
                "experiment": {"experiment_id": "7", "creation_time": "123",
                               "lifecycle_stage": "active"},
                "registered_model": {"creation_timestamp": "456"}, "model_version": {}})

    def _answer(self, code, content):
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    http = HTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "key")
    monkeypatch.delenv("MLFLOW_TRACKING_USERNAME", raising=False)
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    http.server_close()


def test_a_server_is_asked_directly(server):
    assert identify(server, "plate") == Store("7", 123, 456)
    assert identify(server, "mesh") is None
    assert has_version(server, "hdm-plate", "1")
    assert not has_version(server, "hdm-plate", "2")


def test_a_server_that_refuses_the_user(server, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "wrong")
    with pytest.raises(RegistryError, match="refused the user or token"):
        identify(server, "plate")
