"""Pictures in, answers out: forms, bodies, many files, and files that are no pictures."""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from served import DIM, png

from hdm.drawing.heatmaps import OUTLINE

PREDICT = "/v1/plate/predict"


def test_one_image_as_the_body(served) -> None:
    answer = served().post(PREDICT, content=png(51), params={"name": "a.png"})
    assert answer.status_code == 200
    assert answer.json() == {"line": "plate", "model_version": "1", "images": [{
        "name": "a.png", "model_version": "1", "decision": "good", "score": pytest.approx(0.2),
        "threshold": 0.5, "p_value": 0.25, "probability": pytest.approx(0.2), "width": 10,
        "height": 8, "reasons": [], "region_level": 0.5, "regions": [], "more_regions": 0}]}


def test_many_images_keep_their_order_and_a_bad_one_spoils_no_other(served) -> None:
    names = ["dark.png", "notes.txt", "cut.png", "bright.png"]
    contents = [png(20), b"dear diary", png(20)[:45], png(204)]
    answer = served().post(PREDICT, files=[
        ("files", (name, content)) for name, content in zip(names, contents, strict=True)])
    images = answer.json()["images"]
    assert answer.status_code == 200
    assert [image["name"] for image in images] == names
    assert [image["decision"] for image in images] == \
        ["good", "undecidable", "undecidable", "defect"]
    assert "found a text file" in images[1]["error"]
    assert "truncated or damaged" in images[2]["error"]
    assert images[3]["regions"] == [
        {"left": 0, "top": 0, "width": 10, "height": 8, "area": 80, "peak": 0.8,
         "outline": [[0, 0], [0, 8], [10, 8], [10, 0]]}]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_an_undecidable_picture_has_its_reasons_and_a_run_of_them_is_told(served, kind) -> None:
    client = served()
    white = int(np.iinfo(kind).max) // 255
    for run, level in ((0, 51), (1, DIM), (2, DIM), (0, 51), (1, DIM)):
        image, = client.post(PREDICT, content=png(level * white, dtype=kind)).json()["images"]
        dim = level == DIM
        assert image["decision"] == ("undecidable" if dim else "good")
        assert image["reasons"] == ([{"code": "too_dark", "sentence": "The picture is too dark."}]
                                    if dim else [])
        assert np.isfinite(image["score"])
        assert f'hdm_undecidable_run{{line="plate"}} {run}.0' in client.get("/metrics").text
    assert 'hdm_undecidable_total{line="plate"} 3.0' in client.get("/metrics").text


def test_where_nothing_can_be_judged_the_status_says_so(served) -> None:
    answer = served().post(PREDICT, content=b"dear diary")
    assert answer.status_code == 422
    assert answer.json()["error"] == answer.json()["images"][0]["error"]


def test_heat_map_and_view_are_pictures(served) -> None:
    client, wide = served(), png(51, 2000, 3000)
    heat, = client.post(f"{PREDICT}?heatmap=true", content=png(51)).json()["images"]
    assert picture(heat["heatmap"]).size == (10, 8) and "picture" not in heat
    view, = client.post(f"{PREDICT}?view=true", content=wide).json()["images"]
    assert picture(view["picture"]).size == picture(view["heatmap"]).size == (1280, 853)


def test_an_overlay_is_the_picture_with_its_verdict(served) -> None:
    client = served()
    for value in (51, 204):
        found, = client.post(f"{PREDICT}?overlay=true", content=png(value)).json()["images"]
        shown = picture(found["overlay"])
        assert shown.width == 640 and shown.height > 512 and "picture" not in found
        green = (np.asarray(shown) == OUTLINE).all(-1).any()
        assert green == (found["decision"] == "defect")


def picture(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text)))


@pytest.mark.parametrize(("content", "score"), [
    (png(13107, dtype=np.uint16), 0.2),
    (png(51, 8, 10, 3), 0.2),
])
def test_16_bit_and_colour(served, content, score) -> None:
    found, = served().post(PREDICT, content=content).json()["images"]
    assert found["score"] == pytest.approx(score)


def test_alpha_is_laid_on_black(served) -> None:
    clear = np.full((8, 10, 4), 255, np.uint8)
    clear[:4, :, 3] = 0
    buffer = io.BytesIO()
    Image.fromarray(clear).save(buffer, format="PNG")
    found, = served().post(PREDICT, content=buffer.getvalue()).json()["images"]
    assert found["score"] == pytest.approx(0.5)


def test_a_model_that_breaks_is_one_sentence(served) -> None:
    client = served()
    answer = client.post(PREDICT, content=png(255))
    assert answer.status_code == 500
    assert answer.json() == {"error": "the server met an unexpected ValueError; its log says more."}
    assert client.post(PREDICT, content=png(51)).status_code == 200


def test_the_level_of_regions_can_be_chosen(served) -> None:
    client = served()
    found, = client.post(f"{PREDICT}?level=0.1", content=png(51)).json()["images"]
    assert len(found["regions"]) == 1
    refused = client.post(f"{PREDICT}?level=2", content=png(51))
    assert refused.status_code == 422
    assert refused.json()["error"].startswith("level: ")


@pytest.mark.parametrize(("arguments", "part"), [
    ({"content": b""}, "received nothing"),
    ({"files": {"text": (None, "no file")}}, "without a file"),
    ({"content": b"--x--", "headers": {"content-type": "multipart/form-data"}}, "cannot be read"),
    ({"files": [("f", (f"{n}.png", b"x")) for n in range(5)]}, "at most 4 files"),
])
def test_requests_without_an_image(served, arguments, part) -> None:
    answer = served(max_images=4).post(PREDICT, **arguments)
    assert answer.status_code == 400
    assert part in answer.json()["error"]


def test_state(served) -> None:
    client = served()
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {
        "ready": True, "lines": {"plate": {"version": "1", "problem": ""}}}
    assert client.get("/v1/plate/model").json()["threshold"] == 0.5


def test_figures_for_prometheus(served) -> None:
    client = served()
    client.post(PREDICT, files=[("f", ("a", png(20))), ("f", ("b", png()[:40]))])
    text = client.get("/metrics").text
    for row in ('hdm_requests_total{line="plate",status="200"} 1.0',
                'hdm_decisions_total{decision="good",line="plate",version="1"} 1.0',
                'hdm_undecidable_total{line="plate"} 1.0',
                'hdm_model_version{line="plate"} 1.0', 'hdm_batch_images_count{line="plate"} 1.0',
                'hdm_request_seconds_count{line="plate"} 1.0',
                'hdm_reloads_total{line="plate",outcome="loaded"} 1.0'):
        assert row in text


@pytest.mark.parametrize(("method", "path", "status", "part"), [
    ("POST", "/v1/bolts/predict", 404, "no line 'bolts' is served here; there are: plate"),
    ("GET", "/bolts", 404, "no line 'bolts'"),
    ("GET", "/a/b/c", 404, "nothing is served at /a/b/c"),
    ("GET", PREDICT, 405, "GET is not answered"),
])
def test_other_paths(served, method, path, status, part) -> None:
    answer = served().request(method, path)
    assert answer.status_code == status
    assert part in answer.json()["error"]


def test_openapi_tells_of_files_and_answers(served) -> None:
    schema = served().get("/openapi.json").json()
    post = schema["paths"]["/v1/{line}/predict"]["post"]
    assert "multipart/form-data" in post["requestBody"]["content"]
    assert set(post["responses"]) >= {"200", "401", "413", "503", "504"}
