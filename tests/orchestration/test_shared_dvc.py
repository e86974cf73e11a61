"""Two checkouts with caches of their own and one DVC remote."""

import subprocess
import sys
from pathlib import Path

import pytest
from two_line_checkout import checkout

from hdm.orchestration import child_process, shared_dvc


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return (checkout(tmp_path / "a", tmp_path / "shelf"),
            checkout(tmp_path / "b", tmp_path / "shelf"))


def repro(project: Path, target: str, code: int = 0) -> str:
    done = subprocess.run(child_process.repro("plate", target), cwd=project, text=True,
                          capture_output=True, env=child_process.environment(), timeout=120)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_what_one_made_the_other_fetches_but_for_receipts(pair: tuple[Path, Path]) -> None:
    here, there = pair
    assert "Running stage 'ingest@plate'" in repro(here, "register@plate")
    said = repro(there, "register@plate")
    assert "'ingest@plate' is cached - skipping run" in said
    assert "Running stage 'register@plate'" in said
    assert (there / "data" / "plate" / "out").read_text() == "1plate"
    # A result of last month comes back as well, over the one that is there.
    for text in ("2", "1"):
        (there / "input.txt").write_text(text)
        said = repro(there, "ingest@plate")
    assert "is cached" in said
    assert (there / "data" / "plate" / "out").read_text() == "1plate"


def test_a_remote_that_is_away_costs_a_note_and_later_gets_what_it_missed(
        pair: tuple[Path, Path], tmp_path: Path) -> None:
    here, there = pair
    (tmp_path / "shelf").write_text("not a folder")
    said = repro(here, "ingest@plate")
    assert "note what plate made could not be shared (" in said
    assert (here / "data" / "plate" / "out").is_file()
    (tmp_path / "shelf").unlink()
    assert "didn't change" in repro(here, "ingest@plate")
    assert "is cached" in repro(there, "ingest@plate")


def test_a_source_that_is_away_is_an_error_and_one_under_dvc_is_fetched(
        pair: tuple[Path, Path]) -> None:
    here, there = pair
    repro(here, "ingest@plate")
    (here / "input.txt").rename(here / "away.txt")
    assert "input.txt" in repro(here, "ingest@plate", 255)
    (here / "away.txt").rename(here / "input.txt")
    for words in (["add", "-q", "input.txt"], ["push", "-q", "input.txt.dvc"]):
        subprocess.run([sys.executable, "-m", "dvc", *words], cwd=here, check=True)
    (there / "input.txt").unlink()
    (there / "input.txt.dvc").write_text((here / "input.txt.dvc").read_text())
    assert "'ingest@plate' is cached" in repro(there, "ingest@plate")
    assert (there / "input.txt").is_file()


def test_without_a_remote_it_is_dvc_alone(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout(tmp_path / "a", tmp_path / "shelf"))
    subprocess.run([sys.executable, "-m", "dvc", "remote", "remove", "shelf"], check=True)
    assert not shared_dvc._shared()
