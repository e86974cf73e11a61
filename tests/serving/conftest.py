"""A registry without MLflow and a client of the routes."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from served import FakeRegistry, make_service

from hdm.serving.app import build_app


@pytest.fixture
def registry(monkeypatch) -> FakeRegistry:
    """Version 1 of the line `plate` is live."""
    found = FakeRegistry(plate="1")
    found.put(monkeypatch)
    return found


@pytest.fixture
def served(registry: FakeRegistry, tmp_path: Path):
    """serve(*lines, **options) -> a client of a server that has looked at the registry once."""
    clients = []

    def serve(*names: str, **options) -> TestClient:
        service = make_service(tmp_path, *names, **{"poll": 60, **options})
        service.watcher.look()
        client = TestClient(build_app(service), raise_server_exceptions=False,
                            base_url="http://localhost")
        client.service = service
        client.__enter__()
        clients.append(client)
        return client

    yield serve
    for client in clients:
        client.__exit__(None, None, None)
