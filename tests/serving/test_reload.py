"""The alias moves, the registry goes away, versions are broken: requests are answered."""

import asyncio
import time

from served import GONE, client_of, make_service, png

from hdm.errors import HDMError

PREDICT = "/v1/plate/predict"


def look(client) -> dict:
    client.service.watcher.look()
    return client.get("/readyz").json()["lines"]["plate"]


def test_a_new_champion_takes_over(served, registry) -> None:
    client = served()
    registry.live["plate"] = "2"
    assert look(client) == {"version": "2", "problem": ""}
    assert client.post(PREDICT, content=png()).json()["model_version"] == "2"
    assert registry.loads == ["1", "2"]
    assert 'hdm_model_version{line="plate"} 2.0' in client.get("/metrics").text


def test_a_broken_version_leaves_the_old_one_and_is_not_tried_all_the_time(
        served, registry) -> None:
    client = served(retry=60)
    registry.live["plate"], registry.broken["2"] = "2", HDMError("the weights are truncated.")
    for _ in range(3):
        found = look(client)
    assert found["version"] == "1"
    assert found["problem"] == ("version 2 cannot be loaded: the weights are truncated. "
                                "Version 1 goes on serving.")
    assert client.get("/readyz").status_code == 200
    assert client.post(PREDICT, content=png()).json()["model_version"] == "1"
    assert registry.loads == ["1", "2"]
    text = client.get("/metrics").text
    assert 'hdm_model_problem{line="plate"} 1.0' in text
    assert 'hdm_reloads_total{line="plate",outcome="failed"} 1.0' in text
    registry.live["plate"] = "3"
    assert look(client) == {"version": "3", "problem": ""}


def test_a_version_that_was_mended_is_tried_again(served, registry) -> None:
    client = served(retry=0)
    registry.live["plate"], registry.broken["2"] = "2", ValueError("odd\nbytes")
    assert "ValueError: odd bytes" in look(client)["problem"]
    registry.broken.clear()
    assert look(client) == {"version": "2", "problem": ""}


def test_going_back_to_the_served_version_ends_the_trouble(served, registry) -> None:
    client = served()
    registry.live["plate"], registry.broken["2"] = "2", HDMError("broken.")
    look(client)
    registry.live["plate"] = "1"
    assert look(client) == {"version": "1", "problem": ""}


def test_what_serves_goes_on_when_the_registry_is_gone(served, registry) -> None:
    client = served()
    for state in (GONE, None):
        registry.live["plate"] = state
        found = look(client)
        assert found["version"] == "1" and "Version 1 goes on serving." in found["problem"]
        assert client.post(PREDICT, content=png()).status_code == 200
    registry.live["plate"] = "1"
    assert look(client)["problem"] == ""


def test_a_server_may_start_before_its_registry(served, registry) -> None:
    registry.live["plate"] = GONE
    client = served()
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    assert "does not answer" in client.get("/readyz").json()["lines"]["plate"]["problem"]


def test_200_requests_at_once_while_the_alias_moves(registry, tmp_path) -> None:
    registry.pause = 0.002

    async def talk() -> list:
        service = make_service(tmp_path, poll=0.01)
        service.watcher.start()
        async with client_of(service) as client:
            while (await client.get("/readyz")).status_code != 200:
                await asyncio.sleep(0.01)
            answers: list = []
            moved = asyncio.Event()

            async def many() -> None:
                while not moved.is_set():
                    answers.append(await client.post(PREDICT, files=[("f", png()), ("f", png(9))]))

            async def move() -> None:
                for version in "212121":
                    registry.live["plate"] = version
                    while service.lines["plate"].slot.served.version != version:
                        await asyncio.sleep(0.01)
                    before = len(answers)
                    while len(answers) < before + 50:
                        await asyncio.sleep(0.01)
                moved.set()

            await asyncio.gather(move(), *(many() for _ in range(200)))
        await asyncio.to_thread(service.close)
        return answers

    answers = asyncio.run(talk())
    assert len(answers) >= 200
    assert {answer.status_code for answer in answers} == {200}
    seen = set()
    for content in (answer.json() for answer in answers):
        versions = {image["model_version"] for image in content["images"]}
        assert versions == {content["model_version"]}  # all of a request by one version
        seen |= versions
    assert seen <= {"1", "2"} and len(seen) == 2
    assert max(size for judge in registry.judges for size in judge.batches) > 1  # gathered


def test_a_request_ends_on_the_version_that_it_began_with(registry, tmp_path) -> None:
    registry.pause = 0.3

    async def talk() -> str:
        service = make_service(tmp_path, poll=60)
        service.watcher.look()
        async with client_of(service) as client:
            slow = asyncio.create_task(client.post(PREDICT, content=png()))
            await asyncio.sleep(0.1)
            registry.live["plate"] = "2"
            service.watcher.look()
            answer = await slow
        await asyncio.to_thread(service.close)
        return answer.json()["model_version"]

    assert asyncio.run(talk()) == "1"


def test_loading_does_not_hold_requests_up(registry, tmp_path) -> None:
    async def talk() -> set[str]:
        service = make_service(tmp_path, poll=0.01)
        service.watcher.look()
        service.watcher.start()
        registry.gate.clear()
        registry.live["plate"] = "2"
        begun = time.monotonic()
        async with client_of(service) as client:
            while registry.loads[-1] != "2" and time.monotonic() - begun < 5:
                await asyncio.sleep(0.01)
            found = {(await client.post(PREDICT, content=png())).json()["model_version"]
                     for _ in range(5)}
        registry.gate.set()
        await asyncio.to_thread(service.close)
        return found

    assert asyncio.run(talk()) == {"1"}
