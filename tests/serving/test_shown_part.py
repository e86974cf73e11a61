"""Which physical part the pictures of a request show: said, or read from their names."""

import asyncio

import pandas as pd
import pytest
from served import FakeRegistry, client_of, make_line, png

from hdm.serving.line_service import Service
from hdm.serving.serving_options import Options

PREDICT = "/v1/plate/predict"


def logged(tmp_path, monkeypatch, rule="", path=PREDICT, **request):
    """Status, answer, and the parts in the log after one request."""
    FakeRegistry(plate="3").put(monkeypatch)
    line = make_line(tmp_path)
    source = line.entry.source.model_copy(update={"part_rule": rule})
    line = line.__class__(line.name, line.project,
                          line.entry.model_copy(update={"source": source}), line.params)
    service = Service([line], Options(poll=0.02, log=True))

    async def ask():
        async with client_of(service) as client:
            for _ in range(200):
                if (await client.get("/readyz")).status_code == 200:
                    break
                await asyncio.sleep(0.02)
            return await client.post(path, **request)

    service.watcher.start()
    try:
        answer = asyncio.run(ask())
    finally:
        service.close()
    rows = service.lines["plate"].journal.log.read()
    return answer, [None if pd.isna(part) else part for part in rows["part"]]


FILES = [("files", ("12_cam1.png", png())), ("files", ("12_cam2.png", png(70)))]


@pytest.mark.parametrize(("request_", "path", "rule", "parts"), [
    ({"files": FILES}, PREDICT, "", [None, None]),
    ({"files": FILES}, PREDICT, "{part}_cam*", ["12", "12"]),
    ({"files": FILES, "data": {"part": " A 7 "}}, PREDICT, "{part}_cam*", ["A 7", "A 7"]),
    ({"files": FILES, "data": {"part": "Gehäuse 3"}}, PREDICT, "", ["Gehäuse 3", "Gehäuse 3"]),
    ({"files": FILES}, PREDICT + "?part=B", "", ["B", "B"]),
    ({"files": FILES, "headers": {"X-Part": "C"}}, PREDICT, "", ["C", "C"]),
    ({"content": png(), "headers": {"content-type": "image/png"}}, PREDICT + "?part=D", "", ["D"]),
    ({"content": png(), "headers": {"content-type": "image/png"}}, PREDICT + "?name=9_cam1.png",
     "{part}_cam*", ["9"]),
    ({"files": [*FILES[:1], ("files", ("12_cam2.png", b"\x89PNG\r\n\x1a\nx"))]}, PREDICT,
     "{part}_cam*", ["12", "12"])])
def test_parts_reach_the_log(tmp_path, monkeypatch, request_, path, rule, parts):
    answer, found = logged(tmp_path, monkeypatch, rule, path, **request_)
    assert answer.status_code == 200, answer.text
    assert sorted(found, key=str) == sorted(parts, key=str)
    assert "not_read" not in answer.json()


@pytest.mark.parametrize(("said", "sentence"), [
    (["a", "b"], "it names 2 parts, expected the one"),
    (["x" * 300], "at most 200 characters, received 300")])
def test_a_part_that_cannot_be_meant_is_refused(tmp_path, monkeypatch, said, sentence):
    answer, found = logged(tmp_path, monkeypatch, files=FILES, data={"part": said})
    assert answer.status_code == 400 and sentence in answer.json()["error"]
    assert found == []
