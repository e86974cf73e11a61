"""What the registered model takes along: the modules that inference imports, and their libraries.

Found by reading the import statements, so the package stays right as the code changes.
"""

import ast
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import hdm

DISTRIBUTIONS = {"PIL": "pillow", "ruamel": "ruamel.yaml", "sklearn": "scikit-learn"}
PACKAGE = Path(hdm.__file__).parent
MODEL_FILE = Path("registry/pyfunc_model.py")


def inference_sources(package: Path) -> tuple[list[Path], list[str]]:
    """Files of `package` that the model file needs (relative), and the libraries they import."""
    files: set[Path] = set()
    libraries: set[str] = set()
    waiting = [MODEL_FILE]
    while waiting:
        file = waiting.pop()
        for module in _imports(package / file):
            first, *rest = module.split(".")
            if first == package.name:
                found = set(_files(package, rest)) - files
                files |= found
                waiting += found
            elif first not in sys.stdlib_module_names:
                libraries.add(first)
    return sorted(files), sorted(libraries)


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


def _imports(file: Path) -> Iterator[str]:
    """Dotted names that `file` imports; `from a import b` gives a and a.b, as b may be a module."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _files(package: Path, parts: list[str]) -> Iterator[Path]:
    """The module's file and the __init__ files on the way to it."""
    for length in range(len(parts) + 1):
        base = Path(*parts[:length])
        for file in (base / "__init__.py", base.with_suffix(".py") if base.name else base):
            if (package / file).is_file():
                yield file
