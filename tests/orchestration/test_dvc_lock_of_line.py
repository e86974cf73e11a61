"""dvc.lock as one line's DVC writes it: byte for byte what DVC itself would have written."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from two_line_checkout import checkout

from hdm.orchestration import child_process
from hdm.orchestration.dvc_lock import NAME, records_of


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Both lines are done, as DVC does them."""
    made = checkout(tmp_path / "a", tmp_path / "shelf")
    by_dvc(made)
    return made


def run(project: Path, *words: str) -> str:
    done = subprocess.run(words, cwd=project, text=True, capture_output=True, timeout=120,
                          env=child_process.environment())
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def by_dvc(project: Path, *targets: str) -> None:
    run(project, sys.executable, "-m", "dvc", "repro", *targets)


def by_line(project: Path, line: str, *words: str) -> str:
    return run(project, *child_process.repro(line, *words))


def test_it_is_what_dvc_would_have_written(project: Path, tmp_path: Path) -> None:
    (project / "input.txt").write_text("2, with 'quotes': and a #")
    twin = shutil.copytree(project, tmp_path / "twin")
    by_dvc(twin, "register@plate")
    assert "Running stage" in by_line(project, "plate", "register@plate")
    assert (project / NAME).read_bytes() == (twin / NAME).read_bytes()
    assert "up to date" in by_line(project, "plate", "register@plate")
    by_dvc(twin)
    by_line(project, "mesh", "-s", "ingest@mesh")
    by_line(project, "mesh", "-s", "register@mesh")
    assert (project / NAME).read_bytes() == (twin / NAME).read_bytes()


def test_a_first_line_and_another_one_are_added(tmp_path: Path) -> None:
    project, twin = (checkout(tmp_path / name, tmp_path / "shelf") for name in "ab")
    for line in ("mesh", "plate"):
        by_line(project, line, "register@" + line)
        by_dvc(twin, "register@" + line)
        assert (project / NAME).read_bytes() == (twin / NAME).read_bytes()


def test_the_probe_of_all_lines_is_left_out(project: Path) -> None:
    """Two lines that run side by side in one checkout would be in each other's way."""
    (project / "probed").unlink()
    assert "store_probe" not in by_line(project, "plate", "register@plate")
    by_line(project, "plate", "--downstream", "ingest@plate")
    assert not (project / "probed").exists()


def test_what_a_person_wrote_into_it_is_left_to_dvc(project: Path) -> None:
    lock = project / NAME
    lock.write_text(lock.read_text().replace("stages:", "# ours\nstages:", 1))
    assert records_of(lock.read_text()) is None
    (project / "input.txt").write_text("2")
    by_line(project, "plate", "-s", "ingest@plate")
    assert "# ours" in lock.read_text()
    assert "up to date" in by_line(project, "plate", "-s", "ingest@plate")


def test_a_stage_of_no_line_is_no_hindrance(project: Path) -> None:
    (project / "dvc.yaml").write_text((project / "dvc.yaml").read_text() + (
        "  own:\n    cmd: python probe.py\n    deps: [stage.py]\n"))
    by_dvc(project, "own")
    records = records_of((project / NAME).read_text())
    assert records is not None
    assert "own" in records
    (project / "input.txt").write_text("2")
    assert "Running stage" in by_line(project, "plate", "register@plate")
    assert records["own"] in (project / NAME).read_text()


def test_other_lines_are_neither_read_nor_changed(project: Path) -> None:
    """What DVC would stumble over in another line's record goes on standing there."""
    lock = project / NAME
    records = records_of(lock.read_text())
    assert records is not None
    strange = records["ingest@mesh"] + "    strange: [\n"
    lock.write_text(lock.read_text().replace(records["ingest@mesh"], strange))
    (project / "input.txt").write_text("2")
    assert "Running stage" in by_line(project, "plate", "register@plate")
    assert strange in lock.read_text()
