"""A line with two registered versions behind a real server."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from hdm.dataset.images import decode_image
from hdm.dataset.manifest import Manifest
from hdm.files import write_json
from hdm.line import Line
from hdm.registry.address import tracking_uri
from hdm.registry.answering import answering
from hdm.registry.detector_files import fingerprint
from hdm.registry.logged_model import log_detector, seal
from hdm.registry.mlflow_client import connect, load_mlflow
from hdm.registry.model_versions import FINGERPRINT
from hdm.registry.registered_files import SUMS_TAG
from hdm.registry.store import experiment_name, prepare

IMAGES = 64
PATIENCE = 600.0
CHAMPION = "champion"


def registered_twice(line: Line, scratch: Path) -> Line:
    """The line in a project of its own whose registry holds its live detector twice, as versions 1
    and 2."""
    with answering(line) as found:
        return _registered(line, found.folder, scratch)


def _registered(line: Line, detector: Path, scratch: Path) -> Line:
    entry = line.entry.model_dump(mode="json", exclude_defaults=True)
    entry["source"] = {"path": str(line.source), "format": line.entry.source.format}
    write_json(scratch / "pipelines.yaml", {"lines": {line.name: entry}})
    shutil.copyfile(line.project / "params.yaml", scratch / "params.yaml")
    copy = Line.load(line.name, scratch)
    copy.manifest_file.parent.mkdir(parents=True)
    shutil.copyfile(line.manifest_file, copy.manifest_file)
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    prepare(copy)
    client, mlflow = connect(tracking_uri(scratch)), load_mlflow()
    mlflow.set_tracking_uri(tracking_uri(scratch))
    mlflow.set_registry_uri(tracking_uri(scratch))
    mlflow.set_experiment(experiment_name(copy.name))
    with mlflow.start_run():
        info = log_detector(mlflow, detector, {})
        tags = {FINGERPRINT: fingerprint(detector),
                SUMS_TAG: seal(mlflow, client, info, copy.model_name, {})}
    for _ in range(2):
        mlflow.register_model(info.model_uri, copy.model_name, tags=tags)
    client.set_registered_model_alias(copy.model_name, CHAMPION, "1")
    return copy


@contextmanager
def serving(line: Line, backend: str, *options: str) -> Iterator[str]:
    """`hdm serve` with a model in memory and more options; its address."""
    command = [sys.executable, "-m", "hdm", "serve", line.name, "--port", "0", "--poll", "0.5",
               "--backend", backend, *options]
    process = subprocess.Popen(command, cwd=line.project, env=environment(), text=True,
                               stdout=subprocess.PIPE)
    try:
        assert process.stdout
        address = process.stdout.readline().split()[-1]
        end = time.monotonic() + PATIENCE
        while not _ready(address):
            if time.monotonic() > end or process.poll() is not None:
                raise SystemExit(f"the server did not get ready: {httpx.get(address + '/readyz')}")
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=60)


def _ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz", timeout=10).status_code == 200
    except httpx.TransportError:
        return False


def image_files(line: Line) -> list[bytes]:
    """At most 64 of the line's calibration images, as files."""
    rows = Manifest.load(line.manifest_file, line.source_root).split("calibration")
    found = [rows.image_file(row).read_bytes() for row in list(rows)[:IMAGES]]
    decode_image(found[0], "the first image")
    return found


def environment() -> dict[str, str]:
    """Ours, with this checkout's modules."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
