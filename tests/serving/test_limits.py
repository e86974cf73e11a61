"""Keys, sizes, queues and time."""

import asyncio
import threading

import pytest
from served import client_of, make_service, png

from hdm.errors import ConfigError
from hdm.serving.serving_options import read_api_key
from hdm.serving.upload_pixels import Memory

PREDICT = "/v1/plate/predict"


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "other"}, {"X-API-Key": "sécret"},
                                     {"Authorization": "Bearer secret"}])
def test_without_the_key_only_the_state_is_told(served, headers) -> None:
    client = served(api_key="secret")
    headers = {name: value.encode() for name, value in headers.items()}
    for method, path in (("POST", PREDICT), ("GET", "/v1/plate/model"), ("GET", "/metrics"),
                         ("GET", "/v1/nobody/model")):
        answer = client.request(method, path, headers=headers)
        assert answer.status_code == 401
        assert list(answer.json()) == ["error"]
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200


def test_with_the_key(served) -> None:
    answer = served(api_key="secret").post(PREDICT, content=png(),
                                           headers={"X-API-Key": "secret"})
    assert answer.status_code == 200


def test_keys_come_from_the_environment_or_a_file(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("KEY", " word ")
    (tmp_path / "key").write_text("word\n")
    (tmp_path / "empty").write_text("\n")
    assert read_api_key("KEY", None) == read_api_key("", tmp_path / "key") == "word"
    assert read_api_key("", None) is None
    for variable, file in (("NO_KEY", None), ("", tmp_path / "empty"), ("", tmp_path / "gone"),
                           ("KEY", tmp_path / "key")):
        with pytest.raises(ConfigError):
            read_api_key(variable, file)


@pytest.mark.parametrize("form", [False, True])
def test_a_large_request_is_refused_before_it_has_come(served, form) -> None:
    """No length is declared, and after the limit nothing more is asked for."""
    client, asked = served(max_bytes=10_000), []

    def body():
        if form:
            yield b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\n\r\n'
        for n in range(1000):
            asked.append(n)
            yield bytes(1000)

    async def send() -> tuple[int, str]:
        chunks, told = body(), []

        async def receive():
            return {"type": "http.request", "body": next(chunks), "more_body": True}

        async def tell(message):
            told.append(message)

        kind = b"multipart/form-data; boundary=x" if form else b"image/png"
        await client.app({
            "type": "http", "method": "POST", "path": PREDICT, "query_string": b"",
            "headers": [(b"content-type", kind), (b"host", b"localhost"),
                        (b"transfer-encoding", b"chunked")],
            "asgi": {"version": "3.0"}, "http_version": "1.1",
            "scheme": "http", "root_path": "", "app": client.app}, receive, tell)
        return told[0]["status"], told[1]["body"]

    status, content = asyncio.run(send())
    assert status == 413 and b"at most 0.00954 MiB" in content
    assert len(asked) < 20


def test_a_declared_length_is_believed_when_it_is_too_large(served) -> None:
    answer = served(max_bytes=100).post(PREDICT, content=bytes(101))
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"


def test_many_pixels_in_a_small_file_are_not_decoded(served) -> None:
    bomb = png(0, 4000, 4000)
    assert len(bomb) < 100_000
    answer = served(max_pixels=1_000_000).post(PREDICT, files=[("f", bomb), ("f", png())])
    assert answer.status_code == 200
    assert "more than 1 megapixels" in answer.json()["images"][0]["error"]
    assert answer.json()["images"][1]["decision"] == "good"


def test_a_line_without_champion_is_unavailable_until_there_is_one(served, registry) -> None:
    registry.live = {"mesh": "4"}
    client = served("plate", "mesh")
    answer = client.post(PREDICT, content=png())
    assert answer.status_code == 503
    assert "no live model yet" in answer.json()["error"]
    assert client.get("/v1/plate/model").status_code == 503
    assert client.post("/v1/mesh/predict", content=png()).status_code == 200
    assert client.get("/readyz").status_code == 503
    registry.live["plate"] = "1"
    client.service.watcher.look()
    assert client.post(PREDICT, content=png()).status_code == 200
    assert client.get("/readyz").status_code == 200


def test_a_full_queue_refuses_with_a_hint_and_later_takes_more(registry, tmp_path) -> None:
    registry.pause = 0.2

    async def talk() -> list:
        service = make_service(tmp_path, queue=4, poll=60)
        service.watcher.look()
        async with client_of(service) as client:
            first = await asyncio.gather(*(client.post(PREDICT, content=png()) for _ in range(12)))
            then = await client.post(PREDICT, content=png())
        service.close()
        return [*first, then]

    *first, then = asyncio.run(talk())
    refused = [answer for answer in first if answer.status_code == 503]
    assert len(refused) == 8 and {answer.status_code for answer in first} == {200, 503}
    assert refused[0].headers["retry-after"] == "1"
    assert "4 images are waiting" in refused[0].json()["error"]
    assert then.status_code == 200


def test_a_request_that_takes_too_long_is_told_so(registry, served) -> None:
    registry.pause = 0.5
    client = served(patience=0.05)
    answer = client.post(PREDICT, content=png())
    assert answer.status_code == 504
    assert "within 0.05 s" in answer.json()["error"]


def test_decoded_images_share_a_limited_memory() -> None:
    async def work() -> int:
        memory, most = Memory(10), 0

        async def one(size: int) -> None:
            nonlocal most
            async with memory.room(size):
                most = max(most, memory.taken)
                await asyncio.sleep(0)

        await asyncio.gather(*(one(size) for size in (4, 4, 4, 100, 1, 10)))
        assert memory.taken == 0
        return most

    assert asyncio.run(work()) == 10


def test_a_name_of_a_bad_thread_does_not_stay(registry, tmp_path) -> None:
    before = threading.active_count()
    service = make_service(tmp_path)
    service.watcher.start()
    service.close()
    assert threading.active_count() <= before
