"""`hdm run` on the toy project: real DVC, without Prefect."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from toy import calls

from hdm.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def hdm_run(project: Path, capfd: pytest.CaptureFixture[str],
            monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.setenv("COLUMNS", "120")
    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(["run", *arguments])
        return int(left.value.code or 0), *capfd.readouterr()

    yield run
    signal.signal(signal.SIGTERM, before)


def test_whole_line_ends_with_its_result(hdm_run: Run, project: Path) -> None:
    code, out, err = hdm_run("held_back")
    assert code == 0, err
    # The toy's stages do not depend on one another.
    assert calls(project) == ["register@held_back"]
    table, _, address = out.rstrip().rpartition("\n")
    assert "held" in table.splitlines()[-2]
    assert "#/models/hdm-held_back/versions/" in address


def test_failure_is_told_and_the_reason_is_visible(hdm_run: Run) -> None:
    code, _, err = hdm_run("bad_data", "--from", "validate")
    assert code == 2
    assert "error: 3 of 40 images are blank" in err
    assert "bad_data did not get through" in err.splitlines()[-1]


def test_force_runs_what_did_not_change(hdm_run: Run, project: Path) -> None:
    for arguments in ((), (), ("--force",)):
        assert hdm_run("good", "--from", "dagm_fit", *arguments)[0] == 0
    assert calls(project) == ["dagm_fit@good"] * 2


def test_unknown_stage_or_line(hdm_run: Run) -> None:
    assert "no stage 'dagm'" in hdm_run("good", "--from", "dagm")[2]
    assert "no product line 'x'" in hdm_run("x")[2]
