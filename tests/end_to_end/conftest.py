"""One small plant whose line went through every stage once; making it takes most of the time."""

import shutil

import pytest
from filelock import FileLock
from plant import LINE, OTHER, Plant, call, make_plant


@pytest.fixture(scope="session")
def plant(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Plant:
    """LINE is registered; OTHER has got as far as ingest. Made once for all workers of a run: one
    file's tests may change the project, the others take the snapshot."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "end_to_end"
    project, printed = folder / "live" / "plant", folder / "printed.txt"
    with FileLock(f"{folder}.lock"):
        if not printed.is_file():
            shutil.rmtree(folder, ignore_errors=True)
            make_plant(folder / "live", LINE, OTHER)
            done = call("dvc", "repro", f"register@{LINE}", cwd=project)
            call("dvc", "repro", f"ingest@{OTHER}", cwd=project)
            shutil.copytree(folder / "live", folder / "snapshot", symlinks=True)
            printed.write_text(done.stdout, encoding="utf-8")
    return Plant(project, printed.read_text(encoding="utf-8"), folder / "snapshot" / project.name)
