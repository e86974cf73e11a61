"""Through real sockets: requests that no client library would write, answered by uvicorn."""

import json

import pytest
from raw_requests import talk
from served import png

PNG = png()
ONE = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\n\r\n' + PNG + b"\r\n"


@pytest.fixture
def port(listening) -> int:
    return listening()


def post(kind: str) -> str:
    return f"POST /v1/plate/predict HTTP/1.1\r\nContent-Type: {kind}"


@pytest.mark.parametrize(("kind", "body", "status"), [
    ("Multipart/Form-Data; boundary=x", ONE + ONE + b"--x--", 200),
    ("multipart/form-data;boundary=\"x\";;", ONE + b"--x--\r\n", 200),
    ("multipart/form-data; boundary=x; boundary=y", ONE + b"--x--\r\n", 400),
    ("multipart/form-data; boundary=\xff", ONE + b"--x--\r\n", 400),
    ("multipart/form-data; boundary=" + "b" * 999, ONE + b"--x--\r\n", 400),
    ("multipart/form-data, multipart/form-data; boundary=x", ONE + b"--x--\r\n", 415),
    ("multipart/form-data; boundary=x", ONE[:60], 400),
    ("multipart/form-data; boundary=x", ONE, 400),
    ("multipart/form-data; boundary=x", b"--x\r\nno colon\r\n\r\n" + PNG + b"\r\n--x--", 400),
    ("multipart/form-data; boundary=x", b"--x\r\n: empty\r\n\r\n" + PNG + b"\r\n--x--", 400),
    ("multipart/form-data; boundary=x",
     ONE.replace(b"a.png", b"a\x01\x7f\x1b.png") + b"--x--", 200),
    ("multipart/form-data; boundary=x",
     b"--x\r\n" + b"A: b\r\n" * 99 + b"\r\n" + PNG + b"\r\n--x--", 400),
    ("", PNG, 200), ("\xfc\xff", PNG, 415), (";", PNG, 200), ("image/png;;;=", PNG, 200),
    ("application/json", b"{}", 415)])
def test_odd_headers_are_answered_in_words(port, kind, body, status) -> None:
    found, headers, content = talk(port, post(kind), body)
    assert (found, headers["content-type"]) == (status, "application/json"), content
    answer = json.loads(content)
    assert len(answer["images"]) == body.count(b"IEND") if found == 200 else answer["error"]


@pytest.mark.parametrize("megabytes", [0.1, 3, 20])
@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x",
                                  "multipart/form-data"])
def test_a_refusal_is_seen_by_a_client_that_sends_on(port, kind, megabytes) -> None:
    status, _, content = talk(port, post(kind), b"{" * round(megabytes * 2**20))
    assert status in (400, 415) and json.loads(content)["error"]


@pytest.mark.parametrize("pieces", [1, 3, 50])
def test_a_form_in_chunks(port, pieces) -> None:
    body = ONE + ONE.replace(b"a.png", b"b.png") + b"--x--\r\n"
    step = -(-len(body) // pieces)
    parts = [body[start:start + step] for start in range(0, len(body), step)]
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    status, _, content = talk(port, post("multipart/form-data; boundary=x")
                              + "\r\nTransfer-Encoding: chunked", chunked, length=False)
    assert status == 200
    assert [image["name"] for image in json.loads(content)["images"]] == ["a.png", "b.png"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/", "/plate",
                                  "/v1/plate/model"])
def test_head_over_a_socket(port, path) -> None:
    status, headers, content = talk(port, f"HEAD {path} HTTP/1.1")
    assert status == 200 and content == b""
    assert int(headers["content-length"]) > 0
