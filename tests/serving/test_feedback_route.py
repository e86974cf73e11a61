"""What people say over HTTP: kept, asked back, or refused in one sentence."""

import io

import numpy as np
import pytest
from PIL import Image
from served import png

from hdm.dataset.feedback_entries import entries_in
from hdm.errors import DataError
from hdm.feedback import saying
from hdm.feedback.admission import Contradiction

ROUTE = "/v1/plate/feedback"


@pytest.fixture
def client(served, monkeypatch):
    """A line that takes everything; what it checks is tested in tests/feedback."""
    monkeypatch.setattr(saying, "admit", lambda *_, **__: None)
    monkeypatch.setattr(saying, "check_fits", lambda *_: None)
    return served()


def kept(client):
    return entries_in(client.service.lines["plate"].slot.line.feedback)


def post(client, files=(), **words):
    content = {name: (f"{name}.png", data) for name, data in dict(files).items()}
    return client.post(ROUTE, data=words, files=content) if content else \
        client.post(ROUTE, json=words)


def drawn(height=8, width=10):
    mask = np.zeros((height, width), np.uint8)
    mask[2:4, 3:5] = 255
    buffer = io.BytesIO()
    Image.fromarray(mask).convert("RGBA").save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(("words", "mask"), [
    ({"verdict": "good", "who": "ann", "why": "seen\nby eye"}, False),
    ({"verdict": "defect", "type": "scratch"}, True),
    ({"verdict": "defect", "part": "7"}, False)])
def test_a_word_is_kept(client, words, mask):
    files = {"picture": png(70)} | ({"mask": drawn()} if mask else {})
    answer = post(client, files, **words)
    assert answer.status_code == 200, answer.text
    (entry,) = kept(client)
    assert answer.json()["id"] == entry.id and entry.masked == mask
    assert (entry.verdict, entry.who, entry.part) == \
        (words["verdict"], words.get("who", ""), words.get("part", ""))


def test_a_contradiction_is_asked_back(client, monkeypatch):
    def ask(*_, confirmed):
        if not confirmed:
            raise Contradiction("is it really defective?")

    monkeypatch.setattr(saying, "admit", ask)
    answer = post(client, {"picture": png(70)}, verdict="defect")
    assert (answer.status_code, answer.json()) == (409, {"error": "is it really defective?"})
    assert kept(client) == []
    assert post(client, {"picture": png(70)}, verdict="defect", confirm="true").status_code == 200


def test_what_is_refused_is_told(client, monkeypatch):
    def refuse(*_, **__):
        raise DataError("the line is measured on it.")

    monkeypatch.setattr(saying, "admit", refuse)
    answer = post(client, {"picture": png(70)}, verdict="good")
    assert (answer.status_code, answer.json()["error"]) == (422, "the line is measured on it.")


@pytest.mark.parametrize(("files", "words", "status"), [
    ({}, {"verdict": "good"}, 422),
    ({"picture": png(70)}, {}, 422),
    ({"picture": png(70)}, {"verdict": "bad"}, 422),
    ({"picture": b"no picture"}, {"verdict": "good"}, 422),
    ({"picture": png(70), "mask": drawn(5, 5)}, {"verdict": "defect"}, 422),
    ({"picture": png(70)}, {"verdict": "good", "colour": "red"}, 422),
    ({"picture": png(70)}, {"verdict": "good", "row": "x"}, 422)])
def test_what_makes_no_sense_is_one_sentence(client, files, words, status):
    answer = post(client, files, **words)
    assert answer.status_code == status and set(answer.json()) == {"error"}
    assert kept(client) == []


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"\xff", b"[" * 70_000])
def test_a_body_that_is_neither_form_nor_object_is_refused(client, body):
    answer = client.post(ROUTE, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400 and set(answer.json()) == {"error"}


def test_a_logged_row_is_enough(client, monkeypatch):
    from hdm.serving import feedback_route
    image = np.full((8, 10), 70, np.uint8)
    monkeypatch.setattr(feedback_route, "kept_picture", lambda line, row: image)
    monkeypatch.setattr(saying, "logged", lambda line, row, digest: {
        "pixel_hash": digest, "name": "a.png", "model": "3", "decision": "defect", "score": 2.0,
        "threshold": 1.0})
    assert client.post(ROUTE, json={"row": 5, "verdict": "good"}).status_code == 200
    (entry,) = kept(client)
    assert (entry.model_version, entry.score) == ("3", 2.0)


def test_it_needs_the_key_and_a_line(served, client):
    assert served(api_key="secret").post(ROUTE, json={"verdict": "good"}).status_code == 401
    assert client.post("/v1/nowhere/feedback", json={"verdict": "good"}).status_code == 404


def test_the_page_asks_for_it(client):
    page = client.get("/").text
    assert "This was good" in page and "This was a defect" in page and "/feedback" in page
