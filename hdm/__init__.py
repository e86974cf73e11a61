"""HDM: a Hybrid Diffusion Model for unified image anomaly detection, one model a product line."""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Usage tracking of every library is off unless the user asked for it.
for _name, _value in {
    "DO_NOT_TRACK": "true",
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DIFFUSERS_VERBOSITY": "error",
    # Two trainings side by side are several times slower when idle threads spin.
    "OMP_WAIT_POLICY": "PASSIVE",
}.items():
    os.environ.setdefault(_name, _value)

if TYPE_CHECKING:
    from hdm.detector.detector import HDM, Prediction

__all__ = ["HDM", "Prediction", "__version__"]


def __getattr__(name: str) -> Any:
    """Load the detector on first use: importing `hdm` must not import torch."""
    if name in ("HDM", "Prediction"):
        return getattr(import_module("hdm.detector.detector"), name)
    raise AttributeError(f"module 'hdm' has no attribute {name!r}")
