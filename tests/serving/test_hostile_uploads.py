"""Pictures that are made to take all of a server take a moment of one worker."""

import asyncio
import io
import time

import numpy as np
import pytest
from PIL import Image
from served import client_of, make_service, png

from hdm.dataset import decoding_pool
from hdm.dataset.decoding_limits import WORKERS, DecodingLimits
from hdm.serving.serving_options import Options

PREDICT = "/v1/plate/predict"


def jpeg_of_scans(number: int = 3000) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((800, 800, 3), np.uint8)).save(buffer, "JPEG", progressive=True)
    whole = buffer.getvalue()
    last = whole.rfind(b"\xff\xda")
    return whole[:last] + whole[last:-2] * number + whole[-2:]


@pytest.fixture
def tight(monkeypatch) -> None:
    limits = DecodingLimits(pixels=3_000_000, seconds=0.3, seconds_a_megapixel=0.1)
    monkeypatch.setattr(Options, "decoding", property(lambda _: limits))


def test_others_are_answered_while_a_hostile_picture_is_decoded(registry, tmp_path, tight) -> None:
    async def talk() -> tuple[list, dict]:
        service, done = make_service(tmp_path, poll=60), {}
        service.watcher.look()
        async with client_of(service) as client:
            async def ask(name: str, method: str, path: str, **more) -> object:
                answer = await client.request(method, path, **more)
                done[name] = time.monotonic()
                return answer

            await ask("first", "POST", PREDICT, content=png())  # the workers are there
            found = await asyncio.gather(ask("hostile", "POST", PREDICT, content=jpeg_of_scans()),
                                         ask("good", "POST", PREDICT, content=png()),
                                         ask("health", "GET", "/healthz"))
        service.close()
        return found, done

    (hostile, good, health), done = asyncio.run(talk())
    assert hostile.status_code == 422
    assert "image: expected" in hostile.json()["error"]
    assert "longer to decode than its size justifies" in hostile.json()["error"]
    assert good.json()["images"][0]["decision"] == "good" and health.status_code == 200
    assert max(done["good"], done["health"]) < done["hostile"]


def test_requests_that_end_end_their_workers(registry, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(Options, "decoding", property(lambda _: DecodingLimits(seconds=60)))

    async def talk() -> list:
        service = make_service(tmp_path, poll=60, patience=0.5)
        service.watcher.look()
        async with client_of(service) as client:
            answers = await asyncio.gather(*(client.post(PREDICT, content=jpeg_of_scans(9000))
                                             for _ in range(WORKERS)))
        task = decoding_pool.Task("sound", DecodingLimits(), len, b"123")
        assert task.result() == 3
        service.close()
        return answers

    assert {answer.status_code for answer in asyncio.run(talk())} == {504}


@pytest.mark.parametrize("length", ["1²", "٣", "9" * 5000, "-1", "1e3"])
def test_an_odd_length_is_no_error_of_the_server(registry, tmp_path, length) -> None:
    async def talk() -> int:
        service = make_service(tmp_path, poll=60)
        service.watcher.look()
        async with client_of(service) as client:
            answer = await client.post(PREDICT, content=png(),
                                       headers=[(b"content-length", length.encode("utf-8"))])
        service.close()
        return answer.status_code

    assert asyncio.run(talk()) == (413 if length.startswith("9") else 400)


@pytest.mark.parametrize(("method", "path"), [("PUT", "region"), ("POST", "feedback")])
def test_json_without_end_is_refused(served, method, path) -> None:
    answer = served().request(method, f"/v1/plate/{path}", content=b"[" * 20_000,
                              headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422) and "JSON" in answer.json()["error"]


def test_a_hostile_picture_of_feedback_is_refused(served, tight) -> None:
    answer = served().post("/v1/plate/feedback", data={"verdict": "good"},
                           files={"picture": ("h.jpg", jpeg_of_scans())})
    assert answer.status_code == 422
    assert "h.jpg" in answer.json()["error"] and "justifies" in answer.json()["error"]
