"""A small project and a way to run `hdm` in it."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PIPELINES = """\
# The lines of the plant.
sample_lines: []

lines:
  plates:   # line one
    description: Cover plates
    owner: quality@example.com
    source: {path: raw/plates, format: folder}   # from the camera
    overrides:
      dagm_synthesize: {samples: 250}
      seed: 7

  meshes:
    source: {path: raw/meshes}
"""


class Result(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pipelines.yaml").write_text(PIPELINES)
    (tmp_path / "params.yaml").write_text("pom_filter: {keep: 0.5}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("HDM_DEBUG", raising=False)
    return tmp_path


@pytest.fixture
def hdm(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Result]]:
    """`hdm("lines", "list")` runs the command in this process."""
    from hdm.cli import main

    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str) -> Result:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main(list(arguments))
        out, err = capsys.readouterr()
        return Result(int(left.value.code or 0), out, err)

    yield run
    signal.signal(signal.SIGTERM, before)
