"""Home over a trained plant: what its pages show is what the registry and the stages say."""

import io
import re
import shutil
import time
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from plant import LINE, OTHER, Plant, hdm

from hdm.home.home_app import build_home
from hdm.line import Line
from hdm.registry.decision_log import noted
from hdm.serving.serving_options import Options


@pytest.fixture(scope="module")
def project(plant: Plant, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the trained plant whose pictures were judged and logged."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(plant.snapshot.parent, folder, symlinks=True, dirs_exist_ok=True)
    project = folder / plant.snapshot.name
    assert hdm(project, "registry", "relocate").returncode == 0
    tests = folder / "camera" / "test"
    assert hdm(project, "predict", LINE, str(tests), "--log").returncode == 0
    return project


@pytest.fixture
def home(project: Path) -> TestClient:
    return TestClient(build_home(project, Options()), base_url="http://localhost")


def picture(answer) -> Image.Image:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/jpeg"
    return Image.open(io.BytesIO(answer.content))


def test_every_page_is_there_and_loads_nothing_from_elsewhere(home) -> None:
    for page in ("/", f"/{LINE}", f"/{OTHER}", *(f"/{LINE}/{name}" for name in (
            "pictures", "compare", "threshold", "seen", "inbox", "region", "judge",
            "report?version=1"))):
        found = home.get(page)
        assert found.status_code == 200, (page, found.text[-500:])
        assert "default-src 'none'" in found.headers["content-security-policy"]
        assert not re.findall(r'(?:src|href)="(?:https?:)?//', found.text), page


def test_the_overview_shows_what_serves_with_its_reason(home, project) -> None:
    text = home.get(f"/{LINE}").text
    assert "Version 1 serves" in text
    assert noted(Line.load(LINE, project))[-1]["why"].split(".")[0] in text
    assert f'href="/{LINE}/pictures?version=1"' in text
    assert f'<a href="/{LINE}">{LINE}</a>' in home.get("/").text


def test_every_test_picture_is_seen_alone_with_its_map(home, project) -> None:
    text = home.get(f"/{LINE}/pictures?view=all").text
    paths = re.findall(rf'/{LINE}/look\?version=1&amp;path=([^"]+)"', text)
    assert 0 < len(paths) <= 24
    assert picture(home.get(f"/v1/{LINE}/picture?path={paths[0]}")).width <= 320
    assert "score" in home.get(f"/{LINE}/look?version=1&path={paths[0]}").text
    both = picture(home.get(f"/v1/{LINE}/judged?version=1&path={paths[0]}"))
    assert both.width > 1.8 * both.height, "picture and map side by side"


@pytest.mark.parametrize("path", ["../params.yaml", "/etc/passwd", "gone.png", ""])
def test_no_other_file_is_shown(home, path) -> None:
    for address in ("picture", "judged", "inbox/picture"):
        found = home.get(f"/v1/{LINE}/{address}", params={"path": path, "version": 1})
        assert found.status_code == 422, address
        assert "has no picture" in found.text or "no file" in found.text


def test_the_threshold_page_offers_what_the_calibration_can_promise(home) -> None:
    text = home.get(f"/{LINE}/threshold").text
    assert "version 1 decided by another threshold" in text
    assert "(now)" in text


def test_what_was_judged_is_seen_and_can_be_spoken_of(home, project) -> None:
    text = home.get(f"/{LINE}/seen?view=all").text
    rows = [int(row) for row in re.findall(r'name="row" value="(\d+)"', text)]
    assert rows
    assert picture(home.get(f"/v1/{LINE}/logged/{rows[0]}")).width <= 320
    # All that was judged is of the test set, which nothing is learned from.
    found = home.post(f"/v1/{LINE}/feedback", json={"row": rows[0], "verdict": "good",
                                                    "who": "ann"})
    assert found.status_code == 422
    assert "measured on" in found.json()["error"] or "test" in found.json()["error"]


def test_a_picture_that_is_dropped_is_judged_and_not_logged(home, project) -> None:
    file = next((project.parent / "camera" / "test" / "good").iterdir())
    before = home.get(f"/{LINE}/seen?view=all").text
    found = home.post(f"/v1/{LINE}/predict?view=true&overlay=true", files=[
        ("files", (file.name, file.read_bytes())), ("files", ("text.png", b"no picture"))])
    assert found.status_code == 200, found.text
    good, bad = found.json()["images"]
    assert good["model_version"] == "1" and {"picture", "heatmap", "overlay"} <= set(good)
    assert bad["decision"] == "undecidable" and "text.png" in bad["error"]
    assert home.get(f"/v1/{LINE}/model").json()["version"] == "1"
    assert home.get(f"/{LINE}/seen?view=all").text.count("<li>") == before.count("<li>")
    none = home.post(f"/v1/{OTHER}/predict", files={"files": (file.name, file.read_bytes())})
    assert none.status_code == 503 and "no live model yet" in none.json()["error"]


def test_an_order_runs_as_its_command_and_its_end_is_seen(home, project) -> None:
    found = home.post(f"/v1/{LINE}/orders", json={
        "order": "rollback", "who": "ann", "why": "a trial"})
    assert found.json()["command"] == f"hdm rollback '--why=a trial' --to= -- {LINE}"
    ends = time.monotonic() + 60
    while (state := home.get(f"/v1/{LINE}/order").json())["state"] == "running":
        assert time.monotonic() < ends
        time.sleep(0.2)
    assert state["state"] == "failed"
    assert any("no previous version to return to" in row for row in state["output"])
    assert "Did not get through" in home.get(f"/{LINE}").text
