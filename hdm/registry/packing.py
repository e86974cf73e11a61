"""What the registered model takes along: the room that answers, and the libraries it needs."""

import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import hdm
from hdm.registry.import_closure import import_closure

DISTRIBUTIONS = {"PIL": "pillow", "cv2": "opencv-python-headless", "ruamel": "ruamel.yaml",
                 "sklearn": "scikit-learn"}
PACKAGE = Path(hdm.__file__).parent
ROOM = Path("detector")
MODEL_FILE = ROOM / "pyfunc_model.py"


def inference_sources(package: Path) -> tuple[list[Path], list[str]]:
    """Files of `package` that answer a picture (relative), and the libraries they import: the room
    `hdm/detector`, and what it imports."""
    room = [file.relative_to(package) for file in (package / ROOM).glob("*.py")]
    return import_closure(package, room)


def copy_package(target: Path, package: Path) -> Path:
    """Copy those files to the folder `target`/hdm and return it."""
    files, _ = inference_sources(package)
    for file in files:
        destination = target / package.name / file
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(package / file, destination)
    return target / package.name


def requirements(package: Path) -> list[str]:
    """Exact versions of the libraries as pip understands them everywhere (no `+cpu`)."""
    _, libraries = inference_sources(package)
    names = {DISTRIBUTIONS.get(name, name) for name in libraries} | {"mlflow", "pandas"}
    return [f"{name}=={found}" for name in sorted(names) if (found := _version(name))]


def _version(distribution: str) -> str | None:
    try:
        return version(distribution).split("+")[0]
    except PackageNotFoundError:
        return None
