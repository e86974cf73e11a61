"""The registered model in a process of its own, as a server runs it, on real test images."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile

from hdm.dataset.images import read_image
from hdm.dataset.manifest import Manifest
from hdm.errors import RegistryError
from hdm.registry.gate import Packaged

MOST_IMAGES = 32
PATIENCE = 600
"""Seconds until the child process is given up."""

# Runs without this package on its path: `hdm` must come from inside the model. Of what is installed
# compiled copies are read, which saves half of the time; none are that lie beside the model's code.
JUDGE = """
import base64, json, sys, time, warnings
warnings.simplefilter("ignore")
import mlflow.pyfunc, pandas, scipy.ndimage, scipy.special, torch
sys.pycache_prefix = sys.argv[3]
mlflow.set_tracking_uri(sys.argv[2])
mlflow.set_registry_uri(sys.argv[2])
model = mlflow.pyfunc.load_model(sys.argv[1])
rows = []
for name in json.load(sys.stdin):
    with open(name, "rb") as file:
        table = pandas.DataFrame({"image": [base64.b64encode(file.read()).decode()]})
    start = time.perf_counter()
    answer = model.predict(table).iloc[0]
    rows.append([float(answer["score"]), answer["decision"], time.perf_counter() - start])
print("rows:" + json.dumps(rows))
"""


def check_packaged(address: str, store: str, test: Manifest, evaluated: pd.DataFrame) -> Packaged:
    """Judge some test images with the model at `address` and compare with what was evaluated.

    Args:
        address: an MLflow model address. store: the tracking address.
        evaluated: scores.parquet of the evaluate stage, one row a test image.

    Raises RegistryError if the model cannot be loaded or does not predict there.
    """
    rows = list(test)
    chosen = sorted({int(n) for n in np.linspace(0, len(rows) - 1, min(MOST_IMAGES, len(rows)))})
    known = evaluated.set_index("path").loc[[rows[n].path for n in chosen]]
    with tempfile.TemporaryDirectory() as folder:
        files = [_file_of(test.image_file(rows[n]), Path(folder)) for n in chosen]
        answers = _judge(address, store, files)
    scores = np.array([row[0] for row in answers])
    differ = [row[1] != decision for row, decision in zip(answers, known["decision"], strict=True)]
    return Packaged(
        len(files), float(np.abs(scores - known["score"].to_numpy()).max()), sum(differ),
        # The first one warms up.
        1000 * float(np.median([row[2] for row in answers[1:] or answers])))


def _file_of(image: Path, folder: Path) -> str:
    """The file of an image; of a page of a stack one of its own in `folder`."""
    if image.is_file():
        return str(image.resolve())
    alone = folder / f"{len(list(folder.iterdir()))}.tif"
    tifffile.imwrite(alone, read_image(image))
    return str(alone)


def _judge(address: str, store: str, files: list[str]) -> list[tuple[float, str, float]]:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run([sys.executable, "-c", JUDGE, address, store, scratch], cwd=scratch,
                              env=environment, input=json.dumps(files), capture_output=True,
                              text=True, timeout=PATIENCE, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("rows:")]
    if done.returncode or not lines:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise RegistryError("the registered model does not predict in a process of its own "
                            f"({last[:300]}); run the ddm_train stage again.")
    return [tuple(row) for row in json.loads(lines[-1].removeprefix("rows:"))]
