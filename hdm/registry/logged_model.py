"""Logging a detector as an MLflow model that carries its own code and needs no pickle."""

import base64
import io
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hdm.errors import RegistryError
from hdm.files import sync_tree
from hdm.line import Line
from hdm.registry import packing
from hdm.registry.artifact_root import local_path
from hdm.registry.bill_of_materials import bill_of_materials
from hdm.registry.fetch import check_version
from hdm.registry.gate_reason import Metrics
from hdm.registry.mlflow_client import first_line
from hdm.registry.mlflow_uris import model_uri
from hdm.registry.model_versions import FINGERPRINT, RETRAIN_RUN, LoggedModel
from hdm.registry.registered_files import BILL, SUMS, SUMS_TAG, file_hashes, write_sums
from hdm.registry.tracking import settings_of
from hdm.registry.used_data import UsedData

OUTPUT = {"score": "double", "p_value": "double", "probability": "double", "decision": "string",
          "reasons": "string", "threshold": "double", "anomaly_map": "string"}
EXAMPLE_SIDE = 64


def log_detector(mlflow: Any, folder: Path, tags: dict[str, str],
                 params: dict[str, str] | None = None) -> Any:
    """Log the detector in `folder` to the active run; returns MLflow's ModelInfo.

    params: settings that MLflow shows on the model's page.
    The model holds the folder, the modules that inference imports, pinned requirements, a
    signature and a small input example.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    package = packing.PACKAGE
    signature = ModelSignature(
        Schema([ColSpec("string", "image")]),
        Schema([ColSpec(kind, name) for name, kind in OUTPUT.items()]))
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mlflow.pyfunc.log_model(
            name="detector", python_model=str(package / packing.MODEL_FILE),
            artifacts={"detector": str(folder)},
            code_paths=[str(packing.copy_package(Path(scratch), package))],
            signature=signature, input_example=input_example(),
            pip_requirements=packing.requirements(package), tags=tags,
            params=params)


def seal(mlflow: Any, client: Any, info: Any, model: str, facts: Mapping[str, str]) -> str:
    """Add the bill of materials and the list of hashes to a logged model, before anything of it is
    run; the hash of that list.

    facts: see `bill_of_materials`.
    """
    with tempfile.TemporaryDirectory() as scratch:
        files = Path(mlflow.artifacts.download_artifacts(info.model_uri, dst_path=scratch))
        hashes = file_hashes(files)
        bill, sums = files / BILL, files / SUMS
        bill.write_text(bill_of_materials(model, files, hashes,
                                          packing.requirements(packing.PACKAGE), facts),
                        encoding="utf-8")
        found = write_sums(sums, file_hashes(files))
        for file in (bill, sums):
            client.log_model_artifact(info.model_id, str(file))
    return found


@contextmanager
def without_compiled_copies() -> Iterator[None]:
    """Python neither reads nor writes compiled copies beside the code that is imported inside."""
    before = sys.pycache_prefix
    with tempfile.TemporaryDirectory() as elsewhere:
        sys.pycache_prefix = elsewhere
        try:
            yield
        finally:
            sys.pycache_prefix = before


def check_logged(mlflow: Any, address: str) -> None:
    """Load the logged model and let it judge the example; raises RegistryError if it cannot.

    MLflow only warns of this, and a version that cannot predict must never be made.
    """
    try:
        with warnings.catch_warnings(), without_compiled_copies():
            warnings.simplefilter("ignore")
            answer = mlflow.pyfunc.load_model(address).predict(input_example())
        found = list(answer.columns)
    except Exception as error:
        raise RegistryError(f"the logged model does not predict ({first_line(error)}); run the "
                            "ddm_train stage again.") from error
    if found != list(OUTPUT):
        raise RegistryError(f"the logged model answers with the columns {', '.join(found)}; "
                            f"expected {', '.join(OUTPUT)}.")


def logged_model(mlflow: Any, client: Any, line: Line, run_id: str, folder: Path,
                 metrics: Metrics, facts: Mapping[str, str], data: UsedData) -> LoggedModel:
    """Log the detector in `folder` in run `run_id`, with its metrics and the data they are from.

    facts: see `bill_of_materials`; `FINGERPRINT` is the detector's.
    A version that an interrupted attempt of the same run left behind is used again.
    Raises RegistryError if the logged model does not predict, or files of that version are not
    those that were registered.
    """
    mark = facts[FINGERPRINT]
    for version in client.search_model_versions(f"name = '{line.model_name}'"):
        if version.tags.get(RETRAIN_RUN) == run_id and version.tags.get(FINGERPRINT) == mark:
            number = str(version.version)
            check_version(line, number)
            return LoggedModel(line.model_name, model_uri(line.model_name, number), number,
                               version.tags[SUMS_TAG])
    with mlflow.start_run(run_id=run_id):
        info = log_detector(mlflow, folder, {"line": line.name}, settings_of(line))
        sums = seal(mlflow, client, info, line.model_name, facts)
        check_logged(mlflow, info.model_uri)
        _keep(client.get_logged_model(info.model_id).artifact_location)
        data.log(mlflow, info.model_id, metrics)
    return LoggedModel(line.model_name, info.model_uri, None, sums)


def _keep(location: str) -> None:
    """Wait until the files of a model in a local store are on the disk: the database is at once,
    and after a loss of power it would speak of a version whose files are empty."""
    folder = local_path(location)
    if folder and folder.is_dir():
        sync_tree(folder)


def input_example() -> Any:
    """One row with a grey ramp as base64 PNG: small, and no picture of anybody's product."""
    import numpy as np
    import pandas as pd
    from PIL import Image

    ramp = np.linspace(0, 255, EXAMPLE_SIDE, dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(np.tile(ramp, (EXAMPLE_SIDE, 1))).save(buffer, format="PNG")
    return pd.DataFrame({"image": [base64.b64encode(buffer.getvalue()).decode("ascii")]})
