"""HEAD is GET without a body, OPTIONS and 405 tell what is answered."""

import pytest
from served import png

PREDICT = "/v1/plate/predict"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/", "/plate",
                                  "/v1/plate/model", "/openapi.json", "/nobody", "/a/b/c",
                                  "/v1/nobody/model"])
def test_head_is_get_without_a_body(served, path) -> None:
    client = served()
    get, head = client.get(path), client.head(path)
    assert head.status_code == get.status_code
    changing = {"content-security-policy"}  # it has a nonce
    assert {k: v for k, v in head.headers.items() if k not in changing} == \
        {k: v for k, v in get.headers.items() if k not in changing}
    assert int(head.headers["content-length"]) == len(get.content) > 0
    assert head.content == b""


def test_head_while_a_line_has_no_model_and_without_the_key(served, registry) -> None:
    registry.live = {}
    client = served(api_key="secret")
    assert client.head("/readyz").status_code == client.head(
        "/v1/plate/model", headers={"X-API-Key": "secret"}).status_code == 503
    assert client.head("/healthz").status_code == 200
    assert client.head("/metrics").status_code == client.head("/v1/plate/model").status_code == 401


@pytest.mark.parametrize(("method", "path", "allow"), [
    ("GET", PREDICT, "OPTIONS, POST"), ("HEAD", PREDICT, "OPTIONS, POST"),
    ("PUT", PREDICT, "OPTIONS, POST"), ("POST", "/healthz", "GET, HEAD, OPTIONS"),
    ("DELETE", "/", "GET, HEAD, OPTIONS"), ("PATCH", "/plate", "GET, HEAD, OPTIONS"),
    ("POST", "/v1/plate/model", "GET, HEAD, OPTIONS"), ("BREW", "/readyz", "GET, HEAD, OPTIONS"),
    ("POST", "/openapi.json", "GET, HEAD, OPTIONS")])
def test_405_says_what_is_allowed(served, method, path, allow) -> None:
    answer = served().request(method, path)
    assert answer.status_code == 405 and answer.headers["allow"] == allow


@pytest.mark.parametrize(("path", "allow"), [
    (PREDICT, "OPTIONS, POST"), ("/healthz", "GET, HEAD, OPTIONS"), ("/", "GET, HEAD, OPTIONS")])
def test_options_tells_what_is_allowed(served, path, allow) -> None:
    answer = served().options(path)
    assert answer.status_code == 204 and answer.content == b""
    assert answer.headers["allow"] == allow
    assert served().options("/a/b/c").status_code == 404


def test_head_changes_nothing_for_predictions(served) -> None:
    client = served()
    assert client.head(PREDICT).status_code == 405
    assert client.post(PREDICT, content=png()).status_code == 200
