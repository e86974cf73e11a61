"""From a button to a command: which words, and what is refused before anything starts."""

import pytest
from fastapi.testclient import TestClient

from hdm.home import orders
from hdm.home.home_app import build_home
from hdm.serving.serving_options import Options


@pytest.fixture
def home(tmp_path, monkeypatch):
    (tmp_path / "pipelines.yaml").write_text("lines: {plate: {source: {path: raw}}}\n")
    (tmp_path / "params.yaml").write_text("{}\n")
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    started = []
    monkeypatch.setattr(orders, "begin", lambda line, words, who: started.append((words, who)))
    client = TestClient(build_home(tmp_path, Options()), base_url="http://localhost",
                        raise_server_exceptions=False)
    client.started, client.project = started, tmp_path
    return client


WHY = {"why": "a reason"}


@pytest.mark.parametrize(("order", "words"), [
    ({"order": "retrain"}, ["run", "plate"]),
    ({"order": "monitor"}, ["monitor", "plate"]),
    ({"order": "take in"}, ["inbox", "plate"]),
    ({"order": "promote", "version": "3", **WHY},
     ["promote", "--why=a reason", "--", "plate", "3"]),
    ({"order": "promote", "version": "3", "even_refused": "yes", **WHY},
     ["promote", "--why=a reason", "--even-refused", "--", "plate", "3"]),
    ({"order": "rollback", **WHY}, ["rollback", "--why=a reason", "--to=", "--", "plate"]),
    ({"order": "operating point", "rate": "0.02", **WHY},
     ["operating-point", "--false-alarms=0.02", "--why=a reason", "--run", "plate"]),
    ({"order": "label", "file": "a b.png", "label": "dent"},
     ["inbox", "--label=a b.png=dent", "plate"]),
    ({"order": "reject", "file": "--as=good", **WHY},
     ["inbox", "--reject=--as=good", "--why=a reason", "plate"]),
])
def test_a_button_types_one_command(home, order, words):
    found = home.post("/v1/plate/orders", json={"who": " ann ", **order})
    assert found.status_code == 200, found.text
    assert home.started == [(("hdm", *words), "ann")]


def test_a_line_that_prefect_has_is_not_retrained_while_its_server_is_away(home, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    found = home.post("/v1/plate/orders", json={"who": "ann", "order": "retrain"})
    assert found.status_code >= 400 and "prefect server start" in found.json()["error"]
    assert home.started == []


@pytest.mark.parametrize(("content", "sentence"), [
    ({"order": "retrain"}, "say who you are"),
    ({"order": "retrain", "who": "  "}, "say who you are"),
    ({"order": "rollback", "who": "ann", "why": " "}, "say why"),
    ({"order": "rm -rf", "who": "ann"}, "expected one of retrain, monitor"),
    ({"order": "retrain", "who": "ann\nbob"}, "one row of text"),
    ({"order": "retrain", "who": "a" * 501}, "one row of text"),
    ({"order": "retrain", "who": ["ann"]}, "one row of text"),
    ([], "an object"),
])
def test_what_makes_no_sense_starts_nothing(home, content, sentence):
    found = home.post("/v1/plate/orders", json=content)
    assert found.status_code in (400, 422)
    assert sentence in found.json()["error"]
    assert home.started == []


def test_an_unknown_line_has_no_orders_and_no_pages(home):
    assert home.post("/v1/gone/orders", json={"order": "retrain", "who": "a"}).status_code == 404
    found = home.get("/gone")
    assert found.status_code == 404
    assert "no line &#39;gone&#39;" in found.text
    assert "<html" in found.text


def test_a_line_that_is_added_while_home_runs_is_there(home):
    assert home.get("/mesh/inbox").status_code == 404
    (home.project / "pipelines.yaml").write_text(
        "lines: {plate: {source: {path: raw}}, mesh: {source: {path: m}}}\n")
    assert home.get("/mesh/inbox").status_code == 200


def test_settings_that_cannot_be_read_are_said_on_the_page(home):
    (home.project / "pipelines.yaml").write_text(
        "lines: {plate: {source: {path: raw}, sauce: 1}}\n")
    found = home.get("/")
    assert found.status_code == 422
    assert "sauce" in found.text


def test_before_its_first_version_each_page_says_what_to_do(home):
    for page in ("", "/pictures", "/compare", "/threshold", "/seen", "/inbox"):
        found = home.get(f"/plate{page}")
        assert found.status_code == 200, page
        assert "default-src 'none'" in found.headers["content-security-policy"]
    assert "Retrain" in home.get("/plate").text
    assert home.get("/plate/drift").status_code == 422
    assert home.get("/v1/plate/order").json()["state"] == "none"
