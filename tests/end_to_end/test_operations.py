"""The walk-through of docs/operations.md on a shrunken line: real Prefect server, worker, MLflow
server and `hdm serve` on loopback.

The tests tell one story and build on one another, in this order.
"""

import io
import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from plant import LINE, TINY, commit, make_plant, override, receipt, write_yaml
from services import Prefect, free_port, prefect, wait_for

from hdm.samples import draw_line

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
LEARNING = {
    "dagm_fit": {"dimensions": 16, "views": 1, "network": {"width": 32, "blocks": 1},
                 "training": {"steps": 100, "batch": 256}},
    "dagm_synthesize": {"samples": 120},
    "ddm_train": {"network": {"widths": [8, 16, 32], "blocks": 1},
                  "training": {"steps": 200, "batch": 8}},
    # So small a network is beaten by luck; what the story needs is better or not.
    "register": {"minimum_image_auroc": 0.0, "minimum_pixel_auroc": 0.0, "tolerance": 0.5,
                 "minimum_recall": 0.0, "maximum_false_alarms": 1.0,
                 "type_tolerance": 1.0, "confidence": 0.99},
    "monitor": {"cooldown_hours": 0},
}
"""Enough to learn something in a quarter of a minute."""


class Factory:
    """The plant, its servers, and the addresses that people and machines use."""

    def __init__(self, services: Prefect, camera: Path, fresh: Path, port: int) -> None:
        self.services, self.camera, self.fresh, self.port = services, camera, fresh, port
        self.project = services.project

    def hdm(self, *words: str) -> str:
        return self.services.call("python", "-m", "hdm", *words)

    def run(self, deployment: str) -> dict[str, Any]:
        """The state in which a run of a deployment ends."""
        return self.services.ended(self.services.request(deployment), 900)

    def retrain(self) -> str:
        return str(self.run(f"hdm-retrain/{LINE}")["name"])

    def serving(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v1/{LINE}/model",
                                    timeout=20) as answer:
            return dict(json.load(answer))

    def serves(self, version: str) -> None:
        wait_for(lambda: str(self.serving()["version"]) == version, 60, f"version {version} serves")

    def judge(self, image: Image.Image) -> dict[str, Any]:
        stream = io.BytesIO()
        image.save(stream, format="PNG")
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/v1/{LINE}/predict", stream.getvalue(),
            {"Content-Type": "image/png"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return dict(json.load(answer))

    def good_parts(self) -> list[Image.Image]:
        """Images that no model has seen."""
        return [Image.open(file) for file in sorted((self.fresh / "train/good").glob("*.png"))]

    def test_set(self) -> str:
        return str(receipt(self.project, LINE)["test_set"])

    def reasons(self) -> set[str]:
        return {reason["code"] for reason in receipt(self.project, LINE)["reasons"]}


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Factory]:
    folder = tmp_path_factory.mktemp("operations")
    project = make_plant(folder, LINE)
    camera, fresh, port, mlflow = (folder / "camera", folder / "fresh", free_port(), free_port())
    shutil.rmtree(camera)
    draw_line("brushed_plate", camera, scale=0.25)
    draw_line("brushed_plate", fresh, scale=0.4, seed=7)
    write_yaml(project / "params.yaml", TINY | LEARNING)
    commit(project, "A line that learns")
    with prefect(project, folder / "home", MLFLOW_TRACKING_URI=f"http://127.0.0.1:{mlflow}",
                 MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false", HDM_ACTOR="Ada") as services:
        services.start("mlflow", "server", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db",
                       "--artifacts-destination", str(folder / "artifacts"), "--host", "127.0.0.1",
                       "--port", str(mlflow), "--workers", "1", log="mlflow.log")
        wait_for(lambda: urllib.request.urlopen(f"http://127.0.0.1:{mlflow}/health", timeout=5),
                 120, "MLflow answers")
        services.call("python", "-m", "hdm", "deployments", "apply")
        services.worker()
        services.start("python", "-m", "hdm", "serve", LINE, "--port", str(port), "--poll", "1",
                       log="serve.log")
        yield Factory(services, camera, fresh, port)


def test_a_retraining_makes_the_first_champion_and_it_serves(factory: Factory) -> None:
    assert factory.retrain() == "Promoted"
    factory.serves("1")
    assert factory.judge(factory.good_parts()[0])["images"][0]["decision"] in ("good", "defect")


def test_nothing_new_is_nothing_to_learn(factory: Factory) -> None:
    assert factory.retrain() == "Unchanged"
    factory.serves("1")


def test_the_same_camera_is_steady(factory: Factory) -> None:
    for image in factory.good_parts()[:25]:
        factory.judge(image)
    assert factory.run(f"hdm-monitor/{LINE}")["name"] == "Steady"


def test_the_lamp_fades_the_monitor_raises_and_the_automation_retrains_in_vain(
        factory: Factory) -> None:
    """A cable is broken, and noise has come in as good parts: the challenger is not better."""
    noisy = np.random.default_rng(0)
    for number, image in enumerate(factory.good_parts()[:12]):
        noise(noisy, image, factory.camera / "train/good" / f"noise_{number}.png")
    for image in factory.good_parts()[25:]:
        factory.judge(image.point(lambda value: value * 0.5))
    assert factory.run(f"hdm-monitor/{LINE}")["name"] == "Drift"
    told = json.loads((factory.project / "data" / LINE / "monitor/status.json").read_text())
    assert told["state"] == "drift" and "darker" in told["sentence"]

    def automatic() -> Any:
        runs = factory.services.post("flow_runs/filter", {
            "flows": {"name": {"any_": ["hdm-retrain"]}}, "sort": "EXPECTED_START_TIME_DESC"})
        return next((run for run in runs if run["created_by"]
                     and run["created_by"]["type"] == "AUTOMATION"), None)

    run = wait_for(automatic, 60, "the automation starts a run")
    assert factory.services.ended(run["id"], 900)["name"] == "Held"
    assert "no_better_than_champion" in factory.reasons()
    factory.serves("1")


def test_the_data_are_put_right_and_the_challenger_is_promoted(factory: Factory) -> None:
    """A camera with a grainier sensor stays. Good parts of it are learned from, and the champion
    is measured on it as well."""
    train, random = factory.camera / "train/good", np.random.default_rng(1)
    for file in train.glob("noise_*.png"):
        file.unlink()
    for file in sorted(train.glob("*.png")):
        grainy(random, file, train / f"grainy_{file.name}")
    before = factory.test_set()
    for file in sorted((factory.camera / "test").rglob("*.png")):
        grainy(random, file, file)
    assert factory.retrain() == "Promoted"
    assert receipt(factory.project, LINE)["version"] == "3"
    assert factory.test_set() != before  # another test set has another name
    factory.serves("3")


def test_a_rollback_is_one_command_and_serving_follows(factory: Factory) -> None:
    said = factory.hdm("rollback", LINE, "--why", "too many false alarms on the night shift")
    assert "version 1 is champion again" in said
    factory.serves("1")
    history = factory.hdm("history", LINE)
    assert history.count(" to ") == 3 and "now" in history
    factory.hdm("promote", LINE, "3", "--why", "the night shift used the old camera")
    factory.serves("3")


def test_a_poisoned_challenger_is_refused_for_the_right_reason(factory: Factory) -> None:
    """Somebody takes noise for good parts."""
    override(factory.project, LINE, register={"tolerance": 0.01, "minimum_image_auroc": 0.0,
                                              "minimum_pixel_auroc": 0.0, "minimum_recall": 0.0,
                                              "maximum_false_alarms": 1.0})
    noisy = np.random.default_rng(0)
    for file in sorted((factory.camera / "train/good").glob("*.png")):
        noise(noisy, Image.open(file), file)
    assert factory.retrain() == "Refused"
    assert factory.reasons() & {"image_auroc_worse_than_champion",
                                "pixel_auroc_worse_than_champion", "cost_worse_than_champion"}
    factory.serves("3")


def test_the_record_is_complete(factory: Factory) -> None:
    entries = [json.loads(row) for row in
               (factory.project / "data" / LINE / "decisions.jsonl").read_text().splitlines()]
    assert [(entry["action"], entry["version"]) for entry in entries] == [
        ("promote", "1"), ("hold", "2"), ("promote", "3"), ("rollback", "1"), ("approve", "3"),
        ("refuse", "4")]
    assert {entry["by"] for entry in entries} == {"Ada"}
    factory.hdm("page", LINE, "--no-browser")
    page = (factory.project / "data" / LINE / "page/index.html").read_text()
    for said in ("Version 3 serves", "night shift", "darker"):
        assert said in page


def noise(random: np.random.Generator, like: Image.Image, target: Path) -> None:
    shape = np.asarray(like).shape
    Image.fromarray(random.integers(0, 256, shape, np.uint8)).save(target)


def grainy(random: np.random.Generator, source: Path, target: Path) -> None:
    pixels = np.asarray(Image.open(source)).astype(float)
    grain = random.normal(0, 35, pixels.shape)
    Image.fromarray((pixels + grain).clip(0, 255).astype(np.uint8)).save(target)


