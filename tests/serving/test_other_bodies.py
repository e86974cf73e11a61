"""Bodies that are no image: what is refused, what is tried, and what is logged of it."""

import base64
import io
import json

import numpy as np
import pytest
import tifffile
from served import png

PREDICT = "/v1/plate/predict"
JSON = json.dumps({"image": base64.b64encode(png()).decode()}).encode()
CUT = png(20, 60, 80)[:70]


def logged(client) -> list[tuple[str, str]]:
    """Names and decisions in the prediction log, when all is written."""
    line = client.service.lines["plate"]
    line.journal.close()
    rows = line.journal.log.read()
    return list(zip(rows["name"], rows["decision"], strict=True))


@pytest.mark.parametrize(("declared", "content"), [
    ("application/json", JSON), ("Application/JSON; charset=utf-8", JSON), ("text/plain", b"hello"),
    ("text/html", b"<p>"), ("application/pdf", b"%PDF-1.7"), ("application/xml", b"<a/>"),
    ("application/x-www-form-urlencoded", b"image=" + base64.b64encode(png())),
    ("application/x-www-form-urlencoded", b"a=b"), ("multipart/mixed; boundary=x", b"--x--"),
    ("video/mp4", b"\0\0"), ("application/zip", b"PK\3\4"), ("nonsense", b"x"),
    ("application/json", b"")])
def test_what_is_declared_to_be_no_image_is_415_and_not_logged(served, declared, content) -> None:
    client = served(log=True)
    answer = client.post(PREDICT, content=content, headers={"content-type": declared})
    plain = declared.partition(";")[0].lower()
    assert answer.status_code == 415
    assert answer.json() == {"error": "expected an image file as the body, or a form with files, "
                             f"received {plain}."}
    assert logged(client) == []


@pytest.mark.parametrize("declared", [None, "", "image/png", "IMAGE/JPEG", "image/x-unheard-of",
                                      "application/octet-stream", "binary/octet-stream",
                                      "application/x-www-form-urlencoded"])  # curl --data-binary
def test_what_may_be_an_image_is_tried(served, declared) -> None:
    headers = {} if declared is None else {"content-type": declared}
    answer = served().post(PREDICT, content=png(), headers=headers)
    assert answer.status_code == 200 and answer.json()["images"][0]["decision"] == "good"


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate, gzip"])
def test_compressed_bodies_are_told(served, coding) -> None:
    answer = served().post(PREDICT, content=png(), headers={"content-encoding": coding})
    assert answer.status_code == 415 and coding in answer.json()["error"]
    assert served().post(PREDICT, content=png(), headers={"content-encoding": "identity"}
                         ).status_code == 200


@pytest.mark.parametrize("content", [JSON, base64.b64encode(png()), b"dear diary", b"<svg/>",
                                     b"BMW and others", b"P5 is a code", b"\0\1\2\3" * 50])
@pytest.mark.parametrize("form", [False, True])
def test_what_claims_to_be_no_image_is_told_and_not_logged(served, content, form) -> None:
    client = served(log=True)
    sent = {"files": [("f", ("part.png", content))]} if form else {"content": content}
    answer = client.post(PREDICT, **sent)
    assert answer.status_code == 422
    assert "found " in answer.json()["error"]
    assert [image["decision"] for image in answer.json()["images"]] == ["undecidable"]
    assert client.post(PREDICT, content=png(), params={"name": "b"}).status_code == 200
    assert logged(client) == [("b", "good")]


@pytest.mark.parametrize("content", [CUT, b"\xff\xd8\xff\xe0" + bytes(50),
                                     b"II*\0" + bytes(30), b"\0\0\0\x18ftypheic" + bytes(20)])
def test_what_claims_to_be_an_image_and_cannot_be_judged_is_logged(served, content) -> None:
    client = served(log=True)
    answer = client.post(PREDICT, files=[("f", ("a.png", png())), ("f", ("cut", content))])
    assert [image["decision"] for image in answer.json()["images"]] == ["good", "undecidable"]
    assert sorted(logged(client)) == [("a.png", "good"), ("cut", "undecidable")]


def test_too_many_pixels_are_logged(served) -> None:
    client = served(log=True, max_pixels=100)
    assert client.post(PREDICT, content=png(0, 50, 50)).status_code == 422
    assert logged(client) == [("image", "undecidable")]


@pytest.mark.parametrize("count", [2, 20, 600])
def test_a_stack_is_told_as_one(served, count) -> None:
    client, stack = served(log=True), io.BytesIO()
    tifffile.imwrite(stack, np.zeros((count, 8, 10), np.uint8), photometric="minisblack")
    answer = client.post(PREDICT, files=[("f", ("parts.tif", stack.getvalue())),
                                         ("f", ("a.png", png()))])
    told, judged = answer.json()["images"]
    assert told["error"] == (f"parts.tif: expected one picture, found a stack of {count} pages; "
                             "send each as a picture of its own.")
    assert judged["decision"] == "good"
    assert client.post(PREDICT, content=stack.getvalue()).status_code == 422


@pytest.mark.parametrize("size", [4097, 9000, 10000])
def test_a_name_that_is_too_long_is_refused_and_none_is_cut(served, size) -> None:
    client = served()
    assert client.post(PREDICT, content=png(), params={"name": "n" * size}).status_code == 400
    whole = client.post(PREDICT, content=png(), params={"name": "n" * 4096})
    assert whole.json()["images"][0]["name"] == "n" * 4096


def test_60_mistakes_of_a_client_raise_no_alarm(served) -> None:
    """Good images and as many wrong requests: the log holds the images alone."""
    client = served(log=True)
    for number in range(60):
        assert client.post(PREDICT, content=png(number + 1)).status_code == 200
        client.post(PREDICT, content=JSON, headers={"content-type": "application/json"})
        client.post(PREDICT, content=JSON)
        client.post(PREDICT, files={"f": ("a.png", JSON)})
    assert logged(client) == [("image", "good")] * 60
