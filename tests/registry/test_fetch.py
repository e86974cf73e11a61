"""Which version is live, and its files, against real stores and a small HTTP stand-in."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from crafted_store import add_versions
from registry_lines import make_line

from hdm.errors import RegistryError
from hdm.registry import fetch as module
from hdm.registry.fetch import Fetched, fetch, live_version
from hdm.registry.promotion import put_in_service, roll_back

MODEL = "hdm-plate"


@pytest.fixture
def versions(client, line) -> None:
    """Versions 1 and 2 of the line's model."""
    for _ in range(2):
        client.create_model_version(MODEL, str(line.project / "files"))


def test_the_live_version_follows_the_alias(line, client, versions) -> None:
    assert live_version(line) is None
    client.set_registered_model_alias(MODEL, "champion", "1")
    assert live_version(line) == "1"
    client.set_registered_model_alias(MODEL, "champion", "2")
    assert live_version(line) == "2"
    client.delete_registered_model_alias(MODEL, "champion")
    assert live_version(line) is None


def test_a_deleted_version_is_not_live(line, client, versions) -> None:
    client.set_registered_model_alias(MODEL, "champion", "1")
    client.delete_model_version(MODEL, "1")
    assert live_version(line) is None


def test_nothing_is_live_without_store_or_model(tmp_path, line) -> None:
    assert live_version(make_line(line.project, "other")) is None
    assert live_version(make_line(tmp_path / "empty")) is None
    assert not (tmp_path / "empty").exists()


def test_the_look_up_makes_no_store(tmp_path) -> None:
    with pytest.raises(RegistryError, match="no registry at"):
        fetch(make_line(tmp_path), "models:/hdm-plate@champion")
    assert not list(tmp_path.iterdir())


def test_versions_are_fetched_by_alias_or_number(line, client, versions, monkeypatch) -> None:
    client.set_registered_model_alias(MODEL, "champion", "2")
    monkeypatch.setattr(module, "files_of", lambda _, name, version, into: Path(name) / version)
    monkeypatch.setattr(module, "checked", lambda folder, *_: folder)
    assert fetch(line, f"models:/{MODEL}@champion") == Fetched("2", Path(MODEL) / "2")
    assert fetch(line, f"models:/{MODEL}/1") == Fetched("1", Path(MODEL) / "1")


@pytest.mark.parametrize("act", [
    lambda line, client: fetch(line, f"models:/{MODEL}/1"),
    lambda line, client: put_in_service(client, line, "1", "better"),
    lambda line, client: roll_back(client, line, "worse", to="1"),
], ids=["fetch", "promote", "roll back"])
def test_changed_files_are_not_used(line, client, act) -> None:
    add_versions(line, 2)
    put_in_service(client, line, "2", "first")
    file = next(file for file in line.project.rglob("detector.json")
                if '"gain": 0' in file.read_text())
    file.write_text('{"gain": 7}')
    with pytest.raises(RegistryError, match=r"artifacts/detector/detector.json was changed.*hdm "
                                            "rollback plate"):
        act(line, client)
    assert live_version(line) == "2"


def test_what_was_checked_is_a_copy_that_nobody_else_writes_to(line, client, tmp_path) -> None:
    add_versions(line, 1)
    found = fetch(line, f"models:/{MODEL}/1", tmp_path / "copy")
    assert found.folder.is_relative_to(tmp_path / "copy")
    assert fetch(line, f"models:/{MODEL}/1").folder.is_relative_to(line.project / "mlruns")


@pytest.mark.parametrize(("uri", "part"), [
    ("models:/hdm-plate@nobody", "the registry has no models:/hdm-plate@nobody"),
    ("models:/hdm-plate/7", "the registry has no models:/hdm-plate/7"),
    ("models:/hdm-plate/2", "version 2 cannot be fetched"),
    ("models:/hdm-plate/newest", "expected models:/NAME@ALIAS"),
    ("models:/hdm-plate", "expected models:/NAME@ALIAS"),
    ("runs:/1/model", "expected models:/NAME@ALIAS"),
])
def test_what_is_not_there_is_one_sentence(line, versions, uri, part) -> None:
    with pytest.raises(RegistryError, match=part):
        fetch(line, uri)


class Server(BaseHTTPRequestHandler):
    """MLflow's REST answers of a model whose champion is version 4."""

    def do_GET(self) -> None:
        call, query = urlsplit(self.path).path.split("/mlflow/")[1], parse_qs(
            urlsplit(self.path).query)
        if query["name"] == [MODEL]:
            status, content = 200, {
                "registered-models/get": {"registered_model": {
                    "aliases": [{"alias": "champion", "version": "4"}]}},
                "model-versions/get": {"model_version": {"version": "4"}}}[call]
        else:
            status, content = 404, {"error_code": "RESOURCE_DOES_NOT_EXIST"}
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_) -> None:
        pass


def test_a_server_is_asked_without_mlflow_and_may_be_gone(tmp_path, monkeypatch) -> None:
    server = HTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr("hdm.registry.store.connect", lambda _: SimpleNamespace())
    assert live_version(make_line(tmp_path)) == "4"
    assert live_version(make_line(tmp_path, "other")) is None
    server.shutdown()
    server.server_close()
    with pytest.raises(RegistryError, match="cannot be used"):
        live_version(make_line(tmp_path))
