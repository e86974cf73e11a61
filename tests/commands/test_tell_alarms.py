"""`hdm alarms`, and what `hdm monitor` tells."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def hook(project: Path) -> Iterator[list[dict[str, Any]]]:
    """What a real receiver of the project's alarms was told."""
    came: list[dict[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204 if self.path == "/token-7" else 403)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (project / "alarms.yaml").write_text(
        f"webhook: {{url: 'http://127.0.0.1:{server.server_port}/token-7'}}\n"
        "lines: {meshes: {webhook: {url: 'http://127.0.0.1:%d/other'}}}\n" % server.server_port)
    yield came
    server.shutdown()
    server.server_close()


@pytest.fixture
def drift(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that finds it."""
    from hdm.commands import check_drift

    found = {"line": "plates", "model": "3", "state": "drift", "time": "2026-10-01T19:00:00Z",
             "sentence": "plates, version 3: images have become darker.", "doubt": "",
             "threshold": 1.5, "streams": [{"name": "brightness", "alarm": True}]}
    monkeypatch.setattr(check_drift, "check_line", lambda line: dict(found))
    monkeypatch.setattr(check_drift, "table", lambda found: "the figures")


def test_without_settings_it_says_where_they_go(hdm, project) -> None:
    found = hdm("alarms", "plates")
    assert found.code == 0
    assert found.out == f"nobody is told of alarms of plates; {project}/alarms.yaml says who is\n"


def test_a_test_message_reaches_the_receiver(hdm, project, hook) -> None:
    found = hdm("alarms", "plates", "--test")
    assert (found.code, found.err) == (0, "")
    assert "it took the test message" in found.out and "token-7" not in found.out
    [told] = hook
    assert told["event"] == "test" and told["line"] == "plates"
    assert "told of 0 alarms so far" in hdm("alarms", "plates").out


def test_a_receiver_that_refuses_the_test_is_an_exit_code(hdm, project, hook) -> None:
    found = hdm("alarms", "meshes", "--test")
    assert found.code == 1
    assert "it answered 403 Forbidden" in found.out
    assert found.err.startswith("error: webhook did not take the test message")


def test_mistakes_in_the_file_are_one_sentence(hdm, project) -> None:
    (project / "alarms.yaml").write_text("mail: {hots: x}\n")
    for command in (("alarms", "plates"), ("config", "check")):
        found = hdm(*command)
        assert found.code == 2
        assert "alarms.yaml: unknown key 'mail.hots'; did you mean 'host'?" in found.err


def test_the_monitor_tells_an_alarm_once(hdm, project, hook, drift) -> None:
    assert "webhook: told of the alarm" in hdm("monitor", "plates").out
    assert "webhook" not in hdm("monitor", "plates").out
    assert json.loads(hdm("monitor", "plates", "--json").out)["told"] == []
    assert [one["sentence"] for one in hook] == ["plates, version 3: images have become darker."]
    assert "told of 1 alarms so far" in hdm("alarms", "plates").out


def test_a_receiver_that_is_away_does_not_fail_the_monitor(hdm, project, hook, drift) -> None:
    file = project / "alarms.yaml"
    file.write_text(file.read_text().replace("token-7", "gone"))
    found = hdm("monitor", "plates", "--json")
    assert found.code == 0
    assert json.loads(found.out)["told"] == [
        "webhook: it answered 403 Forbidden; it is tried again at the next look"]
