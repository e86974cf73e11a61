"""What one client may ask at once, and what all bodies may weigh together."""

import asyncio

import pytest
from served import client_of, make_service, png

PREDICT = "/v1/plate/predict"
PNG = png()


def asked(service, *bodies) -> list:
    """Answers to requests that are all there at once, and to one more after them."""
    async def all_of_them() -> list:
        service.watcher.look()
        async with client_of(service) as client:
            found = await asyncio.gather(*(client.post(PREDICT, content=body()) for body in bodies))
            return [*found, await client.post(PREDICT, content=PNG)]

    try:
        return asyncio.run(all_of_them())
    finally:
        service.close()


async def in_two():
    yield PNG[:60]
    await asyncio.sleep(0.1)
    yield PNG[60:]


def test_one_client_has_so_many_requests_at_work(registry, tmp_path) -> None:
    registry.pause = 0.2
    *first, then = asked(make_service(tmp_path, client_requests=3), *[lambda: PNG] * 8)
    refused = [answer for answer in first if answer.status_code == 429]
    assert len(refused) == 5 and {answer.status_code for answer in first} == {200, 429}
    assert refused[0].headers["retry-after"] == "1" and "at most 3" in refused[0].json()["error"]
    assert then.status_code == 200


def test_bodies_on_their_way_take_no_place(registry, tmp_path) -> None:
    """The first body ends when the second is answered."""
    service, answered = make_service(tmp_path, client_requests=1, queue=1), asyncio.Event()

    async def held():
        yield PNG[:60]
        await answered.wait()
        yield PNG[60:]

    async def talk() -> list[int]:
        service.watcher.look()
        async with client_of(service) as client:
            first = asyncio.create_task(client.post(PREDICT, content=held()))
            await asyncio.sleep(0.05)
            second = await client.post(PREDICT, content=PNG)
            answered.set()
            return [second.status_code, (await first).status_code]

    try:
        assert asyncio.run(talk()) == [200, 200]
    finally:
        service.close()


def test_all_bodies_together_have_a_limit(registry, tmp_path) -> None:
    service = make_service(tmp_path, body_memory=len(PNG) + 70)
    found = asked(service, in_two, in_two)
    assert sorted(answer.status_code for answer in found[:2]) == [200, 503]
    assert found[2].status_code == 200
    assert any("many bytes" in answer.json().get("error", "") for answer in found)


@pytest.mark.parametrize("name", ["Content-Type", "X-API-Key", "Origin", "X-Part",
                                  "Content-Encoding"])
def test_of_what_decides_there_is_one(served, name) -> None:
    answer = served().post(PREDICT, content=PNG, headers=[(name, "image/png")] * 2)
    assert answer.status_code == 400 and f"one header {name.title()}" in answer.json()["error"]


def test_a_disk_that_is_full_is_told_and_outlived(served, monkeypatch) -> None:
    client = served()

    def full() -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("hdm.serving.uploads.spool", full)
        answer = client.post(PREDICT, content=PNG)
    assert answer.status_code == 503 and "No space left" in answer.json()["error"]
    assert client.post(PREDICT, content=PNG).status_code == 200


def test_what_is_no_picture_is_no_undecidable_one(served) -> None:
    client = served()
    for body in (b"{}", b"GIF", b"<svg/>", b"\0" * 100):
        assert client.post(PREDICT, content=body).status_code == 422
    assert 'hdm_undecidable_total{line="plate"}' not in client.get("/metrics").text
    client.post(PREDICT, content=PNG[:40])
    assert 'hdm_undecidable_total{line="plate"} 1.0' in client.get("/metrics").text
