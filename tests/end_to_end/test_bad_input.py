"""Bad input: one sentence, an exit code, and nothing written."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from plant import LINE, TINY, hdm, one_sentence, read_yaml, write_yaml


@pytest.fixture(scope="module")
def settings_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project without any image; the tests copy it."""
    project = tmp_path_factory.mktemp("bare") / "plant"
    project.mkdir()
    write_yaml(project / "params.yaml", TINY)
    write_yaml(project / "pipelines.yaml", {"sample_lines": [], "lines": {
        LINE: {"source": {"path": "camera", "format": "auto"}}}})
    return project


@pytest.fixture
def project(settings_only: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(settings_only, tmp_path / "plant"))


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
    ("params.yaml", {"dagm_synthesize": {"sampels": 2}}, "did you mean 'samples'?"),
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
