"""Whether a worker computes what this process would: the same code on the same libraries."""

import hashlib
import multiprocessing
import platform
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = ("numpy", "torch", "openvino", "opencv-python-headless", "pillow", "tifffile", "scipy",
             "distributed")
"""By whose versions results or messages differ."""
PACKAGE = Path(__file__).parents[1]
NO_CHILDREN = "DASK_DISTRIBUTED__WORKER__DAEMON=False"
"""In the environment of `dask worker`, without which its workers may start no processes."""


@lru_cache(1)
def versions() -> dict[str, str]:
    """What this process computes with, by name."""
    return {"hdm's code": _digest(), "Python": ".".join(platform.python_version_tuple()[:2]),
            **{name: _version(name) for name in LIBRARIES}}


def objection(expected: dict[str, str], file: Path | None) -> str:
    """Why this process must not work for one with `expected` versions that sees `file`, or ""."""
    if multiprocessing.current_process().daemon:
        return f"may start no processes, in which pictures are decoded; start it with {NO_CHILDREN}"
    for name, there in expected.items():
        if (here := versions().get(name)) != there:
            return f"has {name} {here}, expected {there}; install there what is installed here"
    if file and not file.exists():
        return f"does not see {file}; give it the same folders under the same names"
    return ""


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _digest() -> str:
    """Twelve digits that name all code of this package."""
    found = hashlib.sha256()
    for file in sorted(PACKAGE.rglob("*.py")):
        found.update(f"{file.relative_to(PACKAGE)}\n".encode() + file.read_bytes() + b"\0")
    return found.hexdigest()[:12]
