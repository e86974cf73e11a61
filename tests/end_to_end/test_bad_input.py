"""Bad input, full disks and sudden death: one sentence, an exit code, and nothing lost."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
from child import Stage, fork_server
from PIL import Image
from plant import LINE, Plant, call, contents, environment, hdm, read_yaml, write_yaml

from hdm.config import STAGES


@pytest.fixture(scope="module")
def server(plant: Plant) -> ForkServerContext:
    return fork_server(plant.snapshot)


@pytest.fixture(scope="module")
def settings_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project without any image; the tests copy it."""
    from plant import TINY

    project = tmp_path_factory.mktemp("bare") / "plant"
    project.mkdir()
    write_yaml(project / "params.yaml", TINY)
    write_yaml(project / "pipelines.yaml", {"sample_lines": [], "lines": {
        LINE: {"source": {"path": "camera", "format": "auto"}}}})
    return project


@pytest.fixture
def project(settings_only: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(settings_only, tmp_path / "plant"))


@pytest.fixture
def ran(plant: Plant, tmp_path: Path) -> Path:
    """A copy of the plant as it was after its first `dvc repro`, without history."""
    shutil.copytree(plant.snapshot.parent / "camera", tmp_path / "camera")
    return Path(shutil.copytree(plant.snapshot, tmp_path / "plant", ignore=shutil.ignore_patterns(
        "mlruns", "mlflow.db", "cache", "hdm", "flows", "camera")))


def stage(project: Path, name: str = "ingest") -> subprocess.CompletedProcess[str]:
    """`hdm stage` with the code under test, without MLflow."""
    return hdm(project, "stage", name, LINE, HDM_TRACKING="off",
               PYTHONPATH=str(Path(__file__).parents[2]))


def sentence(done: subprocess.CompletedProcess[str], code: int | None = None) -> str:
    """The one sentence that a failed command left."""
    assert done.returncode != 0, done.stdout
    if code is not None:
        assert done.returncode == code, done.stderr
    return one_sentence(done.stdout + "\n" + done.stderr)


def one_sentence(said: str) -> str:
    assert "Traceback" not in said, said
    found = [line for line in said.splitlines() if line.startswith("error: ")]
    assert len(found) == 1, said
    return found[0]


def draw(folder: Path, count: int, kind: str = "good") -> None:
    (folder / kind).mkdir(parents=True)
    for number in range(count):
        Image.effect_noise((40, 40), 40 + number).save(folder / kind / f"{number}.png")


def edit(project: Path, file: str, **values: Any) -> None:
    content = read_yaml(project / file)
    content.update(values)
    write_yaml(project / file, content)


@pytest.mark.parametrize(("file", "values", "part"), [
    ("params.yaml", {"sede": 1}, "params.yaml: unknown key 'sede'; did you mean 'seed'?"),
    ("params.yaml", {"dagm_synthesize": {"tau_hihg": 2}}, "did you mean 'tau_high'?"),
    ("params.yaml", {"seed": "many"}, "params.yaml: seed: "),
    ("params.yaml", {"image": {"size": 100}}, "image.size"),
    ("params.yaml", {"compute": None}, "params.yaml: compute"),
    ("pipelines.yaml", {"lines": {"a/b": {"source": {"path": "x"}}}}, "line name 'a/b'"),
    ("pipelines.yaml", {"lines": {"..": {"source": {"path": "x"}}}}, "line name '..'"),
    ("pipelines.yaml", {"lines": {LINE: {"source": {}}}}, "lines.plate.source.path"),
    ("pipelines.yaml", {"lines": {LINE: {"source": {"path": "x", "format": "png"}}}}, "format"),
    ("pipelines.yaml", {"lines": {LINE: {"source": {"path": "x"}, "overides": {}}}},
     "did you mean 'overrides'?"),
    ("pipelines.yaml", {"lines": [LINE]}, "pipelines.yaml: lines"),
])
def test_settings(project: Path, file: str, values: dict[str, Any], part: str) -> None:
    edit(project, file, **values)
    assert part in sentence(stage(project, "configure"), 2)
    assert not (project / "data").exists()


@pytest.mark.parametrize("text", ["lines: [", "{", "\x00", "- a", "lines:\n\t- x"])
def test_settings_that_are_not_yaml(project: Path, text: str) -> None:
    (project / "pipelines.yaml").write_text(text)
    assert "pipelines.yaml" in sentence(stage(project, "configure"), 2)


def test_sources_that_hold_nothing_to_learn_from(project: Path) -> None:
    assert stage(project, "configure").returncode == 0
    camera = project / "camera"
    assert str(camera) in sentence(stage(project), 3)
    camera.mkdir()
    assert str(camera) in sentence(stage(project), 3)
    draw(camera, 4, "scratch")
    sentence(stage(project), 3)
    (camera / "good").mkdir()
    assert "good" in sentence(stage(project), 3)
    shutil.rmtree(camera)
    camera.write_text("not a folder")
    assert "camera" in sentence(stage(project), 3)
    assert not (project / "data" / LINE / "ingest").exists()


def _truncated(good: Path) -> None:
    data = (good / "0.png").read_bytes()
    (good / "0.png").write_bytes(data[:len(data) // 2])


def _bomb(good: Path) -> None:
    import struct
    import zlib

    head = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    (good / "0.png").write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head
                                 + struct.pack(">I", zlib.crc32(head)))


@pytest.mark.parametrize("spoil", [
    _truncated, _bomb, lambda good: (good / "0.png").write_bytes(b""),
    lambda good: (good / "0.png").write_text("a letter"),
    lambda good: ((good / "0.png").unlink(), (good / "0.png").symlink_to("/etc/hostname")),
], ids=["truncated", "bomb", "empty", "text", "symlink"])
def test_images_that_are_none(project: Path, spoil: Any) -> None:
    draw(project / "camera", 8)
    assert stage(project, "configure").returncode == 0
    spoil(project / "camera" / "good")
    assert "good/0.png" in sentence(stage(project), 3)
    assert not (project / "data" / LINE / "ingest").exists()


def test_names_of_all_kinds_are_taken(project: Path) -> None:
    draw(project / "camera", 8)
    good = project / "camera" / "good"
    for number, name in enumerate(("weiß [x] Ω名", "n" * 240, "a b;c'd")):
        (good / f"{number}.png").rename(good / f"{name}.png")
    assert stage(project, "configure").returncode == 0
    done = stage(project)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("blocked", "command"), [
    ("data", "configure"), (f"data/{LINE}", "configure"), (f"data/{LINE}/config", "configure"),
    (f"data/{LINE}", "registry")])
def test_file_where_a_folder_must_be(project: Path, blocked: str, command: str) -> None:
    """What a folder without permission does to others; root is not stopped by permissions."""
    (project / blocked).parent.mkdir(parents=True, exist_ok=True)
    (project / blocked).write_text("mine")
    sentence(stage(project, command))
    assert (project / blocked).read_text() == "mine"


@pytest.fixture
def small_disk(ran: Path) -> Iterator[Path]:
    """data/<line>/dagm_fit's parent on a disk of its own that is nearly full."""
    folder = ran / "data" / LINE
    kept = ran / "kept"
    folder.rename(kept)
    folder.mkdir()
    size = sum(map(len, contents(kept).values())) + 4_000_000
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
