"""OpenVINO as it is used here: telling its makers nothing, exact, and beside other processes."""

import sys
import threading
from collections.abc import Callable
from typing import Any

REPORTER = "openvino_telemetry"
"""Without it, which OpenVINO can do, importing OpenVINO tells nobody; with it, a server of its
makers is told, and a mark is left in the user's home."""


def quiet_openvino() -> Any:
    """The library; raises ImportError where it is missing."""
    sys.modules.setdefault(REPORTER, None)  # type: ignore[arg-type]
    import openvino

    return openvino


def ready(model: Any, threads: int) -> Callable[[Any], Any]:
    """The model compiled for this machine's processors, with so many threads of its own: inputs ->
    outputs by number; any number of threads may ask at once."""
    judge, lock = quiet_openvino().Core().compile_model(model, "CPU", {
        "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY",
        # Where a processor has matrix units, OpenVINO would take 16 bits.
        "INFERENCE_PRECISION_HINT": "f32",
        # Each process would bind its threads to the same first cores, and leave the others idle.
        "ENABLE_CPU_PINNING": False}), threading.Lock()

    def run(inputs: Any) -> Any:
        with lock:  # asked by two threads at once, it refuses one of them
            return judge(inputs)

    return run
