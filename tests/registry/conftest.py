"""Lines with a ready MLflow store each. Creating a store takes seconds, so one is copied."""

import io
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest
from registry_lines import FAKE_DETECTOR, copy_store, make_line, write_images
from rich.console import Console

import hdm
from hdm.line import Line
from hdm.registry.gate import Packaged
from hdm.stages import register


@pytest.fixture(autouse=True)
def no_pickles(monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")


@pytest.fixture(scope="session")
def template(tmp_path_factory) -> Path:
    """A project whose store knows the line `plate`."""
    from hdm.registry.store import prepare

    project = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        prepare(make_line(project))
    return project / "mlflow.db"


@pytest.fixture
def line(tmp_path, template) -> Line:
    """The line `plate` in a project of its own with a store."""
    copy_store(template, tmp_path)
    return make_line(tmp_path)


@pytest.fixture
def client(line):
    from hdm.registry.address import tracking_uri
    from hdm.registry.mlflow_client import connect

    return connect(tracking_uri(line.project))


@pytest.fixture
def fake_package(tmp_path_factory, monkeypatch) -> Path:
    """A copy of the package with the fake detector; what is logged and what is scored uses it."""
    package = tmp_path_factory.mktemp("package") / "hdm"
    shutil.copytree(Path(hdm.__file__).parent, package,
                    ignore=shutil.ignore_patterns("__pycache__", "samples"))
    (package / "detector" / "detector.py").write_text(FAKE_DETECTOR)
    module = ModuleType("hdm.detector.detector")
    monkeypatch.setitem(sys.modules, "hdm.detector.detector", module)
    exec(compile(FAKE_DETECTOR, "detector.py", "exec"), module.__dict__)
    monkeypatch.setattr("hdm.registry.rescore.HDM", module.HDM)
    monkeypatch.setattr("hdm.registry.packing.PACKAGE", package)
    return package


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=400)


@pytest.fixture
def packaged(line, fake_package) -> Line:
    """A line whose registered model is judged in a process of its own, which takes seconds."""
    write_images(line)
    return line


@pytest.fixture
def ready(packaged, monkeypatch) -> Line:
    monkeypatch.setattr(register, "check_packaged", lambda *_: Packaged(6, 0.0, 0, 1.0))
    return packaged
