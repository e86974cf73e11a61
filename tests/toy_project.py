"""One toy project for all tests of flows and of what they stand on."""

import shutil
from pathlib import Path

import pytest
from toy import make_project


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("template"))


@pytest.fixture
def project(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh toy project, and we are in its folder."""
    folder = tmp_path / "plant"
    shutil.copytree(template, folder)
    monkeypatch.chdir(folder)
    return folder
