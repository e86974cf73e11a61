"""Full disks and sudden death: nothing is lost, and the same command finishes the work."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from child import Stage, end_server, fork_server
from plant import LINE, Plant, call, contents, environment, one_sentence

from hdm.config import STAGES


@pytest.fixture(scope="module")
def server(plant: Plant) -> Iterator[ForkServerContext]:
    yield fork_server(plant.snapshot)
    end_server()


@pytest.fixture
def ran(plant: Plant, tmp_path: Path) -> Path:
    """A copy of the plant as it was after its first `dvc repro`, without history."""
    shutil.copytree(plant.snapshot.parent / "camera", tmp_path / "camera")
    return Path(shutil.copytree(plant.snapshot, tmp_path / "plant", ignore=shutil.ignore_patterns(
        "mlruns", "mlflow.db", "cache", "hdm", "flows", "camera")))


@pytest.fixture
def small_disk(ran: Path) -> Iterator[Path]:
    """data/<line>/dagm_fit's parent on a disk of its own that is nearly full."""
    folder = ran / "data" / LINE
    kept = ran / "kept"
    folder.rename(kept)
    folder.mkdir()
    # A stage's folder is written whole beside the one that it replaces.
    size = sum(map(len, contents(kept).values())) + 16_000_000
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        filler = (folder / "filler").open("wb", buffering=0)
        with filler, pytest.raises(OSError, match="No space"):
            while True:
                filler.write(b"x" * 4096)
        yield ran
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("name", ["ingest", "dagm_fit", "evaluate"])
def test_disk_that_is_really_full(small_disk: Path, server: ForkServerContext, name: str) -> None:
    folder = small_disk / "data" / LINE / name
    before = contents(folder)
    failed = Stage(server, small_disk, name)
    assert failed.wait() != 0
    assert "No space left" in one_sentence(failed.said)
    assert contents(folder) == before
    (small_disk / "data" / LINE / "filler").unlink()
    again = Stage(server, small_disk, name)
    assert again.wait() == 0, again.said
    assert contents(folder) == before


@pytest.mark.parametrize("name", STAGES)
def test_killed_stage_is_finished_by_the_same_command(
        ran: Path, server: ForkServerContext, name: str) -> None:
    """Killed while working, before and between the renames; then a full disk; then undisturbed."""
    folder = ran / "data" / LINE / name
    others = {path: content for path, content in contents(ran / "data").items()
              if f"/{name}/" not in path and "/.work/" not in path}
    if name == "register":  # without MLflow it says something else
        assert Stage(server, ran, name).wait() == 0
    undisturbed = contents(folder)
    for killed in (lambda: Stage(server, ran, name).kill_after(0.1),
                   lambda: Stage(server, ran, name, "kill 1").wait(),
                   lambda: Stage(server, ran, name, "kill 2").wait()):
        code = killed()
        assert code in (-signal.SIGKILL, 0)
        left = visible(folder)
        assert all(undisturbed[path] == content for path, content in left.items())
    full = Stage(server, ran, name, "full 1")
    assert full.wait() == 2, full.said
    assert "No space left" in one_sentence(full.said)
    again = Stage(server, ran, name)
    assert again.wait() == 0, again.said
    assert left_overs(ran / "data" / LINE) == []
    assert contents(folder) == undisturbed
    assert {path: content for path, content in contents(ran / "data").items()
            if f"/{name}/" not in path and "/.work/" not in path} == others


def visible(folder: Path) -> dict[str, bytes]:
    """What other stages can see: no temporary files."""
    return {path: content for path, content in contents(folder).items()
            if not any(part.startswith(".") for part in path.split("/"))}


def left_overs(folder: Path) -> list[str]:
    return [path for path in contents(folder)
            if path.endswith((".tmp", ".old")) or ".tmp/" in path or ".old/" in path]


def test_killed_dvc_is_finished_by_the_same_command(ran: Path, plant: Plant) -> None:
    """DVC, its stage and its locks die together, as with the machine."""
    for room in ("hdm", "flows"):
        (ran / room).symlink_to(plant.snapshot / room)
    undisturbed = contents(ran / "data" / LINE / "ingest")
    log = ran.parent / "log.txt"
    with log.open("w") as stream:
        process = subprocess.Popen(["dvc", "repro", "-f", "-s", f"ingest@{LINE}"], cwd=ran,
                                   env=environment(HDM_TRACKING="off"), stdout=stream,
                                   stderr=stream, start_new_session=True)
    deadline = time.monotonic() + 60
    while f"ingest {LINE}" not in log.read_text()[-20:] and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    left = contents(ran / "data" / LINE / "ingest")
    assert not left or left == undisturbed
    call("dvc", "repro", "-s", f"ingest@{LINE}", cwd=ran, HDM_TRACKING="off")
    assert contents(ran / "data" / LINE / "ingest") == undisturbed
