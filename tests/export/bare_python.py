"""A Python that has NumPy, ONNX Runtime and Pillow, and neither torch nor hdm."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hdm.detector.detector import HDM

FACTS = {"line": "plate", "model": "hdm-plate", "version": "3"}
LIBRARIES = ("numpy", "numpy.libs", "onnxruntime", "flatbuffers", "google", "packaging", "PIL",
             "pillow.libs")
START = ("import runpy, sys; sys.path[:0] = [sys.argv.pop(1)]; del sys.argv[0]; "
         "runpy.run_path(sys.argv[0], run_name='__main__')")
Run = Callable[..., subprocess.CompletedProcess]


class Exported(NamedTuple):
    """A detector, its folder, and a way to run the folder's programs."""

    detector: HDM
    folder: Path
    run: Run


def bare_python(folder: Path) -> Run:
    """`run(program, *arguments)`; and_also, without: other libraries by their folders' names."""
    installed = Path(np.__file__).parents[1]

    def run(*arguments: Path | str, and_also: tuple[str, ...] = (), without: tuple[str, ...] = ()
            ) -> subprocess.CompletedProcess:
        site = folder / "-".join(("site", *and_also, "no", *without))
        if not site.exists():
            site.mkdir()
            for name in {*LIBRARIES, *and_also} - {*without}:
                if (installed / name).exists():
                    (site / name).symlink_to(installed / name)
        return subprocess.run([sys.executable, "-I", "-S", "-B", "-c", START, str(site),
                               *map(str, arguments)], capture_output=True, text=True)

    return run
