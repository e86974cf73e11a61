"""The registered model: images in, one row of judgement an image out.

MLflow runs this file when it loads the model ("models from code"), so nothing is unpickled. `hdm`
comes from the copy inside the model, not from a repository.

Input: a column `image` with the content of an image file (PNG, JPEG, TIFF, ...) as base64 text or
raw bytes. In Python, a cell may also be a numpy array (H, W) or (H, W, 3) of uint8 or uint16:
`model.predict({"image": [array, array]})`. File names are not accepted: a server must not be
talked into reading its own disk.
Output columns: score, p_value, probability, decision (good, defect or undecidable), reasons (why it
is undecidable: codes, separated by commas), threshold and anomaly_map, the latter a base64 16-bit
grey PNG of the image's size, whose value / 65535 is the anomaly.
HDM_DEVICE (auto, cpu, cuda) and HDM_THREADS choose where it runs.
"""

import base64
import binascii
import io
import os
from collections.abc import Mapping
from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from PIL import Image

from hdm.dataset.images import decode_image
from hdm.errors import HDMError


class RegisteredDetector(mlflow.pyfunc.PythonModel):  # type: ignore[name-defined]
    """`hdm.HDM` behind MLflow's interface."""

    def load_context(self, context: Any) -> None:
        """Load the detector once; called by MLflow."""
        # Here, as logging a model runs this file too and need not wait for torch.
        from hdm.detector.detector import HDM

        threads = os.environ.get("HDM_THREADS", "")
        self.detector = HDM.load(context.artifacts["detector"],
                                 device=os.environ.get("HDM_DEVICE", "auto"),
                                 threads=int(threads) if threads.isdigit() else None)

    def predict(self, context: Any, model_input: pd.DataFrame,
                params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """One row an image; raises MlflowException with one sentence for a bad image."""
        cells = _cells(model_input)
        try:
            images = [_decode(cell, f"image {n} of {len(cells)}")
                      for n, cell in enumerate(cells, start=1)]
            predictions = self.detector.predict(images)
        except HDMError as error:
            raise MlflowException(str(error), error_code=INVALID_PARAMETER_VALUE) from None
        return pd.DataFrame([{
            "score": float(p.score), "p_value": float(p.p_value),
            "probability": float(p.probability), "decision": p.decision,
            "reasons": ", ".join(doubt.code for doubt in p.reasons),
            "threshold": float(p.threshold), "anomaly_map": encode_map(p.anomaly_map),
        } for p in predictions])


def encode_map(anomaly_map: np.ndarray) -> str:
    """(H, W) in [0, 1] as base64 of a 16-bit grey PNG."""
    levels = np.rint(np.clip(anomaly_map, 0, 1) * 65535).astype(np.uint16)
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, format="PNG", compress_level=1)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _cells(model_input: Any) -> list[Any]:
    """The images of any form that MLflow lets through, in order."""
    if isinstance(model_input, pd.DataFrame):
        column = model_input["image"] if "image" in model_input else model_input.iloc[:, 0]
        cells = list(column)
    elif isinstance(model_input, Mapping):
        cells = [model_input["image"]]
    else:
        cells = [model_input]
    # MLflow keeps {"image": [a, b]} as one cell that holds a list.
    return [item for cell in cells
            for item in (cell if isinstance(cell, list | tuple) else [cell])]


def _decode(cell: Any, name: str) -> np.ndarray:
    if isinstance(cell, np.ndarray) and cell.ndim >= 2:
        return cell
    if isinstance(cell, bytes | bytearray | memoryview):
        return decode_image(bytes(cell), name)
    if isinstance(cell, str):
        text = cell.split(",", 1)[1] if cell.startswith("data:") and "," in cell else cell
        try:
            return decode_image(base64.b64decode("".join(text.split()), validate=True), name)
        except (binascii.Error, ValueError):
            raise HDMError(f"{name}: expected base64 of an encoded image file, received other text "
                           f"({cell[:40]!r}); send the file's content, not its name.") from None
    raise HDMError(f"{name}: expected base64 text, bytes or an array of pixels, received "
                   f"{type(cell).__name__}.")


mlflow.models.set_model(RegisteredDetector())
