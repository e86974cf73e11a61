"""A version's files where they are in the file system: found without importing mlflow."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from hdm.registry.artifact_root import local_path
from hdm.registry.quick_client import quick_client

MODEL_FILE = "MLmodel"


def local_model(uri: str, model: str, version: str) -> Path | None:
    """The folder of a version of the store at `uri`, where it lies.

    None where its files are elsewhere, are gone, or cannot be told: MLflow's client then fetches
    them, or says what is wrong.
    """
    client = quick_client(uri)
    try:
        location = client.get_model_version_download_uri(model, version) if client else ""
        folder = local_path(location)
    except Exception:
        return None
    return folder if folder is not None and (folder / MODEL_FILE).is_file() else None


def detector_in(folder: Path) -> Path | None:
    """The detector folder inside a model's folder; None if there is none."""
    try:
        content: Any = YAML(typ="safe", pure=True).load(folder / MODEL_FILE)
        detector = folder / content["flavors"]["python_function"]["artifacts"]["detector"]["path"]
    except Exception:  # whatever it is, it is no model of ours
        return None
    return detector if detector.is_dir() else None
