"""A line's region over HTTP: read, set, refused in a sentence, behind the key if there is one."""

import json
import re

import numpy as np
import pytest
import tiny
from PIL import Image

from hdm.dataset.line_region import LineRegion
from hdm.dataset.manifest import Manifest, Row
from hdm.dataset.region_file import write_region

SQUARE = {"name": "clamp", "corners": [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5], [0.1, 0.5]]}
PLACE = "/v1/plate/region"


def line_of(client):
    return client.service.lines["plate"].slot.line


@pytest.mark.parametrize("region", [
    {"ignore": [SQUARE]}, {"inspect": [SQUARE]}, {"ignore": [SQUARE], "inspect": [
        {"corners": [[0, 0], [1, 0], [0.5, 1]]}]}])
def test_what_is_put_is_got_and_on_the_disk(served, region) -> None:
    client = served()
    assert client.get(PLACE).json() == {"line": "plate", "region": {}, "ignored_share": 0.0,
                                        "mask": None}
    put = client.put(PLACE, json=region)
    assert put.status_code == 200 and put.json() == client.get(PLACE).json()
    assert put.json()["region"] == region and 0 < put.json()["ignored_share"] < 1
    assert json.loads(line_of(client).region_file.read_text()) == region
    assert client.put(PLACE, json={}).json()["region"] == {}
    assert not line_of(client).region_file.exists()


@pytest.mark.parametrize(("body", "status", "part"), [
    (b"{", 400, "expected a region as JSON"), (b"\xff\xfe", 400, "expected a region as JSON"),
    (b"", 400, "expected a region as JSON"), (b"[1]", 400, "an object, received list"),
    (b"[" * 200_000, 400, "recursion"), (b'{"mask": NaN}', 400, "NaN is no number"),
    (b'{"mask": "\\ud800"}', 400, "surrogates"), (b'{"mask": "", "mask": ""}', 400, "twice"),
    (b'{"polygons": []}', 422, "unknown key 'polygons'"),
    (b'{"ignore": [{"corners": [[0,0],[1,1],[1,0],[0,1]]}]}', 422, "crosses itself"),
    (b'{"ignore": [{"corners": [[0,0],[1,0],[1,1],[0,1]]}]}', 422, "at least 1% of a picture"),
    (b'{"mask": "plate-00000000.png"}', 422, "cannot be read")])
def test_what_is_no_region_is_refused_and_nothing_changes(served, body, status, part) -> None:
    client = served()
    client.put(PLACE, json={"ignore": [SQUARE]})
    before = line_of(client).region_file.read_bytes()
    answer = client.put(PLACE, content=body)
    assert answer.status_code == status and part in answer.json()["error"]
    assert line_of(client).region_file.read_bytes() == before


@pytest.mark.parametrize("headers", [{"content-type": "text/plain"}, {"content-encoding": "gzip"},
                                     {"content-type": "application/x-www-form-urlencoded"}])
def test_what_is_not_declared_json_is_not_taken_for_it(served, headers) -> None:
    client = served()
    assert client.put(PLACE, content=b"{}", headers=headers).status_code == 415
    assert client.post("/v1/plate/feedback", content=b"{}", headers=headers).status_code == 415


def test_too_much_is_refused_while_it_comes(served) -> None:
    assert served().put(PLACE, content=b" " * (2**20 + 1)).status_code == 413


@pytest.mark.parametrize("ask", [
    lambda client, **how: client.get(PLACE, **how),
    lambda client, **how: client.put(PLACE, json={"ignore": [SQUARE]}, **how),
    lambda client, **how: client.get(f"{PLACE}/picture", **how)])
def test_the_key_is_asked_for_where_there_is_one(served, ask) -> None:
    client = served(api_key="secret")
    assert ask(client).status_code == 401 and ask(
        client, headers={"X-API-Key": "other"}).status_code == 401
    assert not line_of(client).region_file.exists()
    assert ask(client, headers={"X-API-Key": "secret"}).status_code != 401


def test_other_lines_are_not_found_and_a_damaged_region_is_told(served) -> None:
    client = served()
    for place in ("/v1/other/region", "/other/region", "/v1/other/region/picture"):
        assert client.get(place).status_code == 404
    line_of(client).region_file.parent.mkdir()
    line_of(client).region_file.write_text("{")
    assert "restore it from git" in client.get(PLACE).json()["error"]
    assert client.put(PLACE, json={"ignore": [SQUARE]}).status_code == 200


def test_a_mask_is_shown_and_stays_where_its_name_is_sent_again(served) -> None:
    client, file = served(), line_of(served()).region_file
    write_region(file, LineRegion(), np.eye(40, dtype=bool))
    told = client.get(PLACE).json()
    assert told["mask"] and told["region"]["mask"].startswith("plate-")
    both = {"ignore": [SQUARE], "mask": told["region"]["mask"]}
    assert client.put(PLACE, json=both).json()["region"] == both
    client.put(PLACE, json={"ignore": [SQUARE]})
    assert [path.name for path in file.parent.iterdir()] == ["plate.json"]


@pytest.mark.parametrize(("shape", "kind"), [
    ((40, 60), np.uint8), ((40, 60, 3), np.uint8), ((50, 30), np.uint16)])
def test_a_good_picture_is_there_to_draw_on(served, tmp_path, shape, kind) -> None:
    client = served()
    assert "no picture of plate here" in client.get(f"{PLACE}/picture").json()["error"]
    line, name = line_of(client), "good/0.png"
    tiny.write_png(line.source / name, (np.indices(shape[:2]).sum(0)[..., None] * np.ones(
        shape[2:] or 1)).reshape(shape).astype(kind))
    Manifest.of([Row(name, "train", 0, "good", None, name, shape[1], shape[0], 1, 8, 8, "0" * 64)],
                line.source).save(line.manifest_file)
    answer = client.get(f"{PLACE}/picture")
    assert answer.headers["content-type"] == "image/jpeg"
    (tmp_path / "shown.jpg").write_bytes(answer.content)
    assert Image.open(tmp_path / "shown.jpg").size == (shape[1], shape[0])


def test_the_page_stands_alone(served) -> None:
    answer = served(api_key="secret").get("/plate/region")
    nonce = re.search(r"script-src 'nonce-([^']+)'", answer.headers["content-security-policy"])
    assert nonce and f'<script nonce="{nonce[1]}">' in answer.text and 'id="key"' in answer.text
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", answer.text)
    assert 'id="key"' not in served().get("/plate/region").text
