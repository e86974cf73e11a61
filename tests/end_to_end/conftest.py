"""One small plant whose line went through every stage once; making it takes most of the time."""

import shutil

import pytest
from plant import LINE, OTHER, Plant, call, make_plant


@pytest.fixture(scope="session")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    """LINE is registered; OTHER has got as far as ingest."""
    folder = tmp_path_factory.mktemp("end_to_end")
    project = make_plant(folder / "live", LINE, OTHER)
    done = call("dvc", "repro", f"register@{LINE}", cwd=project)
    call("dvc", "repro", f"ingest@{OTHER}", cwd=project)
    shutil.copytree(folder / "live", folder / "snapshot", symlinks=True)
    return Plant(project, done.stdout, folder / "snapshot" / project.name)
