"""With a key, nobody comes in without it; a browser shows it once."""

import pytest
from fastapi.testclient import TestClient

from hdm.home.entrance import COOKIE, token
from hdm.home.home_app import build_home
from hdm.serving.serving_options import Options

KEY = "a-long-and-secret-key"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pipelines.yaml").write_text("lines: {plate: {source: {path: raw}}}\n")
    (tmp_path / "params.yaml").write_text("{}\n")
    return tmp_path


def client(project, key=KEY, **options):
    return TestClient(build_home(project, Options(api_key=key, **options)),
                      base_url="http://localhost", follow_redirects=False,
                      raise_server_exceptions=False)


@pytest.mark.parametrize("path", ["/", "/plate", "/plate/inbox", "/plate/region", "/nothing"])
def test_a_page_leads_to_the_door_and_back(project, path):
    home = client(project)
    found = home.get(path)
    assert found.status_code == 303
    assert found.headers["location"] == f"/-/enter?to={path.replace('/', '%2F')}"
    door = home.get(found.headers["location"])
    assert door.status_code == 200
    assert f'data-then="{path}"' in door.text
    assert KEY not in door.text and token(KEY) not in door.text


@pytest.mark.parametrize(("method", "path"), [
    ("POST", "/v1/plate/orders"), ("POST", "/v1/plate/stop"), ("GET", "/v1/plate/order"),
    ("GET", "/v1/plate/picture?path=x"), ("POST", "/v1/plate/feedback"),
    ("PUT", "/v1/plate/region"), ("GET", "/v1/plate/region"), ("POST", "/plate")])
def test_nothing_else_is_answered_either(project, method, path):
    found = client(project).request(method, path, json={})
    assert found.status_code == 401
    assert found.json()["error"].startswith("expected the key")


def test_the_key_opens_once_shown_or_in_a_header(project, monkeypatch):
    monkeypatch.setattr("hdm.home.door.PAUSE", 0.0)
    home = client(project)
    assert home.post("/-/enter", json={"key": "guess"}).status_code == 401
    assert home.get("/plate/inbox").status_code == 303
    found = home.post("/-/enter", json={"key": f" {KEY} "})
    assert found.status_code == 200
    cookie = found.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}={token(KEY)}")
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and KEY not in cookie
    assert home.get("/plate/inbox").status_code == 200
    other = client(project)
    assert other.get("/plate/inbox", headers={"x-api-key": KEY}).status_code == 200
    other.cookies.set(COOKIE, token("another key"))
    assert other.get("/plate/inbox").status_code == 303


@pytest.mark.parametrize("to", ["//evil.example/", "https://evil.example/", "javascript:alert(1)",
                                "plate"])
def test_the_door_leads_nowhere_else(project, to):
    assert 'data-then="/"' in client(project).get("/-/enter", params={"to": to}).text


def test_without_a_key_everyone_on_this_machine_is_in_and_no_other_site(project):
    home = client(project, key=None)
    assert home.get("/plate/inbox").status_code == 200
    assert home.get("/-/healthz").json() == {"status": "alive"}
    found = home.post("/v1/plate/orders", json={"order": "retrain", "who": "x"},
                      headers={"origin": "http://evil.example"})
    assert found.status_code == 403
    assert home.get("/", headers={"host": "evil.example"}).status_code == 421
