"""The logged model: loads without the repository, without pickle, and judges images."""

import base64
import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from registry_lines import write_detector

from hdm.registry.address import tracking_uri
from hdm.registry.detector_files import fingerprint
from hdm.registry.logged_model import log_detector
from hdm.registry.mlflow_client import load_mlflow

# Refuses every `hdm` that does not come from the model itself.
STRANGER = """
import base64, importlib.util, io, json, sys
from pathlib import Path
import numpy as np
sys.path = [p for p in sys.path if p and not (Path(p) / "hdm" / "detector").exists()]
sys.meta_path = [f for f in sys.meta_path if "__editable__" not in getattr(f, "__module__", "")
                 and "editable" not in repr(f).lower()]
assert importlib.util.find_spec("hdm") is None
import mlflow
from PIL import Image
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(sys.argv[2])
buffer = io.BytesIO()
Image.fromarray(np.full((6, 9), 51, np.uint8)).save(buffer, format="PNG")
answer = model.predict({"image": [base64.b64encode(buffer.getvalue()).decode()]})
import hdm
print(json.dumps({"rows": answer.to_dict("records"), "hdm": hdm.__file__}))
"""


NOISE = np.random.default_rng(0).integers(0, 255, (40, 40), np.uint8)


@pytest.fixture
def logged(line, client, fake_package):
    """Address of a model whose detector has gain 2."""
    mlflow = load_mlflow()
    write_detector(line, 2.0)
    mlflow.set_tracking_uri(tracking_uri(line.project))
    mlflow.set_registry_uri(tracking_uri(line.project))
    mlflow.set_experiment("hdm/plate")
    with mlflow.start_run():
        return log_detector(mlflow, line.detector_folder, {"line": "plate"})


@pytest.fixture
def model(logged, monkeypatch):
    return load_mlflow().pyfunc.load_model(logged.model_uri)


def encoded(pixels, form="PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format=form)
    return buffer.getvalue()


def test_a_stranger_process_loads_it_by_alias(line, client, logged, tmp_path):
    version = load_mlflow().register_model(logged.model_uri, "hdm-plate").version
    client.set_registered_model_alias("hdm-plate", "champion", version)
    away = tmp_path / "elsewhere"
    away.mkdir()
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-I", "-c", STRANGER, tracking_uri(line.project),
         "models:/hdm-plate@champion"],
        cwd=away, env={**environment, "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"},
        capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    row = answer["rows"][0]
    assert row["score"] == pytest.approx(2 * 51 / 255)
    assert (row["decision"], row["threshold"], row["p_value"]) == ("good", 0.5, 0.5)
    assert str(line.project / "mlruns") in answer["hdm"]


def test_nothing_is_pickled_and_the_package_is_complete(line, logged):
    files = {f.relative_to(line.project).as_posix() for f in line.project.rglob("*")}
    assert not [name for name in files if name.endswith((".pkl", ".pickle", ".pt", ".joblib"))]
    assert any(name.endswith("code/hdm/dataset/images.py") for name in files)
    assert not [name for name in files if "/code/hdm/stages" in name]
    requirements = next(line.project.rglob("requirements.txt")).read_text()
    assert "+" not in requirements


def test_the_input_example_that_mlflow_shows_can_be_sent_and_is_answered(logged, model):
    from mlflow.models import convert_input_example_to_serving_input, validate_serving_input

    [shown] = model.predict(model.input_example).to_dict("records")
    assert shown["decision"] == "defect"
    sent = convert_input_example_to_serving_input(model.input_example)
    answer = validate_serving_input(logged.model_uri, sent)
    assert answer["score"].tolist() == [shown["score"]]
    assert set(model.metadata.signature.outputs.input_names()) == set(shown)


def test_every_form_of_input(model):
    pixels = np.full((6, 9), 51, np.uint8)
    png, text = encoded(pixels), base64.b64encode(encoded(pixels)).decode()
    import pandas as pd

    for cells in (pd.DataFrame({"image": [text, text]}), pd.DataFrame({"image": [png, png]}),
                  {"image": [text, text]}, {"image": [png, png]}, {"image": [pixels, pixels]},
                  [{"image": text}, {"image": text}],
                  pd.DataFrame({"image": [pixels, np.stack([pixels] * 3, axis=2)]}),
                  pd.DataFrame({"image": [f"data:image/png;base64,{text}", text + "\n"]})):
        answer = model.predict(cells)
        assert answer["score"].tolist() == pytest.approx([0.4, 0.4])
    assert model.predict(pd.DataFrame({"image": pd.Series([], dtype=str)})).empty


def test_the_map_is_a_16_bit_png_of_the_images_size(model):
    deep = np.full((6, 9), 13107, np.uint16)  # a fifth of the range
    answer = model.predict({"image": [deep, encoded(deep, "TIFF")]})
    for text in answer["anomaly_map"]:
        anomaly = np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))
        assert anomaly.shape == (6, 9)
        assert anomaly.dtype == np.uint16
        assert anomaly[0, 0] / 65535 == pytest.approx(0.4, abs=1e-4)
    json.dumps(answer.to_dict("records"))


@pytest.mark.parametrize(("cell", "sentence"), [
    ("/etc/passwd", "send the file's content, not its name"),
    ("not base64!", "expected base64"),
    (base64.b64encode(b"just text, no image").decode(), "image 2 of 2.*text file"),
    (b"", "image 2 of 2.*empty file"),
    (encoded(NOISE)[:900], "image 2 of 2.*damaged"),
    (7, "image 2 of 2.*received int"),
], ids=["path", "no base64", "text", "empty", "truncated", "number"])
def test_a_bad_image_is_one_sentence(model, cell, sentence):
    from mlflow.exceptions import MlflowException

    good = encoded(np.zeros((4, 4), np.uint8))
    with pytest.raises(MlflowException, match=sentence) as caught:
        model.unwrap_python_model().predict(None, {"image": [good, cell]})
    assert "\n" not in str(caught.value)
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


def test_fingerprint_sees_names_and_contents(line):
    write_detector(line, 1.0)
    first = fingerprint(line.detector_folder)
    assert first == fingerprint(line.detector_folder)
    write_detector(line, 2.0)
    second = fingerprint(line.detector_folder)
    (line.detector_folder / "detector.json").rename(line.detector_folder / "other.json")
    assert len({first, second, fingerprint(line.detector_folder)}) == 3


def test_the_model_file_by_itself(fake_package, line, monkeypatch):
    """MLflow runs a copy of it; here it is the file of the package."""
    from types import SimpleNamespace

    import pandas as pd

    from hdm.detector.pyfunc_model import RegisteredDetector

    monkeypatch.setenv("HDM_THREADS", "1")
    write_detector(line, 4.0)
    judge = RegisteredDetector()
    judge.load_context(SimpleNamespace(artifacts={"detector": str(line.detector_folder)}))
    pixels = np.full((3, 5), 51, np.uint8)
    for cells in (pixels, {"image": pixels}, [pixels], pd.DataFrame({"other": [pixels]}),
                  {"image": base64.b64encode(encoded(pixels)).decode()}):
        row = judge.predict(None, cells).iloc[0]
        assert row["score"] == pytest.approx(0.8)
        assert row["decision"] == "defect"


def test_a_map_outside_its_range_is_clipped():
    from hdm.detector.pyfunc_model import encode_map

    image = Image.open(io.BytesIO(base64.b64decode(encode_map(np.array([[-1.0, 0.5, 2.0]])))))
    assert np.asarray(image).tolist() == [[0, 32768, 65535]]
