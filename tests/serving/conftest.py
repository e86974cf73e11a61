"""A registry without MLflow and a client of the routes."""

import socket
import threading
import time
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from served import FakeRegistry, make_service

from hdm.serving.app import build_app
from hdm.serving.http_server import http_server


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


@pytest.fixture
def served_app():
    """serve(app, options) -> a port at which an application is served, as `hdm serve` does it;
    serve.stop() waits for its end."""
    running = []

    def serve(app, options) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        server = http_server(app, options)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        running.append((server, thread))
        while not server.started:
            time.sleep(0.01)
        return listener.getsockname()[1]

    def stop() -> None:
        for server, thread in running:
            server.should_exit = True
            thread.join(timeout=10)
            assert not thread.is_alive()

    serve.stop = stop
    yield serve
    stop()


@pytest.fixture
def listening(registry: FakeRegistry, tmp_path: Path, served_app):
    """listen(**options) -> a port at which the line `plate` is served."""
    def listen(**options) -> int:
        service = make_service(tmp_path, **options)
        service.watcher.look()
        return served_app(build_app(service), service.options)

    return listen
