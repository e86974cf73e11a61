"""Adding a line from a page: what the command says, in the page; nothing is added by looking."""

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from ruamel.yaml import YAML

from hdm.home.home_app import build_home
from hdm.serving.serving_options import Options


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pipelines.yaml").write_text("lines: {plate: {source: {path: raw}}}\n")
    (tmp_path / "params.yaml").write_text("presets: {instant: {seed: 1}, fast: {}}\n")
    for kind, count in (("good", 3), ("scratch", 2)):
        (tmp_path / "seals" / kind).mkdir(parents=True)
        for n in range(count):
            pixels = np.random.default_rng(n).integers(0, 255, (9, 9), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "seals" / kind / f"{n}.png")
    return tmp_path


@pytest.fixture
def ask(project):
    client = TestClient(build_home(project, Options()), base_url="http://localhost")
    assert "Add a line" in client.get("/-/add").text
    return lambda **content: client.post("/v1/lines", json=content)


def lines(project):
    return YAML(typ="safe").load((project / "pipelines.yaml").read_text())["lines"]


def test_a_folder_is_looked_at_and_then_added(project, ask) -> None:
    looked = ask(source=str(project / "seals"), order="look")
    assert looked.status_code == 200, looked.text
    assert "5 images: good 3, scratch 2; 0 defect images have a mask" in looked.json()["told"]
    assert looked.json()["added"] == "" and list(lines(project)) == ["plate"]
    added = ask(source=str(project / "seals"), name="left_seals", description="Seals; left",
                owner="ann", preset="instant", order="add")
    assert added.json()["added"] == "left_seals", added.text
    assert lines(project)["left_seals"] == {
        "description": "Seals; left", "owner": "ann", "overrides": {"preset": "instant"},
        "source": {"path": str(project / "seals"), "format": "auto"}}


@pytest.mark.parametrize(("content", "sentence"), [
    ({}, "say in which folder"), ({"source": "nowhere"}, "nowhere"),
    ({"source": "seals", "name": "plate"}, "exists already"),
    ({"source": "seals", "name": "--help"}, "line name '--help'"),
    ({"source": "--format=coco", "name": "x"}, "--format=coco")])
def test_what_cannot_be_added_is_said_in_one_sentence(project, ask, content, sentence) -> None:
    found = ask(**content)
    assert found.status_code == 422
    assert sentence in found.json()["error"] and "\n" not in found.json()["error"]
    assert list(lines(project)) == ["plate"]
