"""How far a run is: shown, written, and read by another process."""

import io
import json
import os
import subprocess
import sys
import time

import pytest
from rich.console import Console

from hdm.config import STAGES
from hdm.files import write_json
from hdm.line import Line
from hdm.orchestration.run_progress import read_progress, run_shown
from hdm.pipelines import ProductLine, Source
from hdm.progress import progress_bar
from hdm.settings import Params
from hdm.stages.stage_progress import RUN, SECONDS, StageProgress, stage_progress

LATER = {"evaluate": 60.0, "register": 30.0}


@pytest.fixture
def line(tmp_path, monkeypatch) -> Line:
    monkeypatch.setenv(RUN, "")  # what a test sets is taken back
    monkeypatch.delenv(RUN)
    return Line("plate", tmp_path, ProductLine(source=Source(path="raw")), Params())


def console(*, terminal: bool) -> Console:
    return Console(file=io.StringIO(), width=120, force_terminal=terminal)


def test_a_terminal_shows_the_whole_above_the_bar_of_the_stage(line) -> None:
    write_json(line.work_folder(SECONDS), {"ddm_train": 90.0, **LATER})
    screen = console(terminal=True)
    with stage_progress(line, "ddm_train", screen), progress_bar(screen, "training") as report:
        report(30, 300)
        told = read_progress(line)
    shown = screen.file.getvalue()
    assert "plate: stage 6 of 8 ddm_train" in shown and "about 3 min left" in shown
    assert "training" in shown and "30/300" in shown
    assert told is not None
    assert (told.stage, told.stage_number, told.of, told.pid) == ("ddm_train", 6, 8, os.getpid())
    assert told.seconds_left == pytest.approx(180, abs=10)


def test_a_log_has_one_row_a_stage_and_no_bars(line) -> None:
    write_json(line.work_folder(SECONDS), {"register": 120.0})
    log = console(terminal=False)
    with stage_progress(line, "evaluate", log), progress_bar(log, "judging") as report:
        report(1, 2)
    assert log.file.getvalue() == \
        "plate: stage 7 of 8 evaluate done in 0:00:00, about 2 min left\n"


def test_how_long_a_stage_took_is_known_the_next_time_and_a_failed_one_is_not_timed(line) -> None:
    for stage in STAGES:
        with stage_progress(line, stage, console(terminal=False)):
            assert StageProgress(line, stage).left is None
    assert set(json.loads(line.work_folder(SECONDS).read_text())) == set(STAGES)
    write_json(line.work_folder(SECONDS), {**LATER, "ddm_train": 90.0})
    with pytest.raises(KeyError), stage_progress(line, "ddm_train", console(terminal=False)):
        raise KeyError("stopped")
    assert json.loads(line.work_folder(SECONDS).read_text())["ddm_train"] == 90.0
    assert read_progress(line) is None


def test_a_stage_that_takes_longer_than_last_time_promises_nothing(line) -> None:
    write_json(line.work_folder(SECONDS), {**LATER, "ddm_train": 90.0})
    shown = StageProgress(line, "ddm_train")
    shown.began -= 91
    assert shown.left is None and shown.tell(1, 2).left == ""


def test_a_run_lives_between_its_stages_and_ends_with_its_starter(line) -> None:
    with run_shown(line):
        assert read_progress(line).stage == ""
        with stage_progress(line, "ingest", console(terminal=False)):
            assert read_progress(line).stage_number == 1
        assert read_progress(line).stage == "ingest"
    assert read_progress(line) is None and not line.progress_file.exists()


def test_a_run_that_was_killed_is_not_under_way(line) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from hdm.line import Line\nfrom hdm.orchestration.run_progress import run_shown\n"
        "from hdm.pipelines import ProductLine, Source\nfrom hdm.settings import Params\n"
        "entry = ProductLine(source=Source(path='raw'))\n"
        "line = Line('plate', Path(sys.argv[1]), entry, Params())\n"
        "with run_shown(line):\n    print('runs', flush=True)\n    time.sleep(600)\n")
    with subprocess.Popen([sys.executable, "-c", code, str(line.project)], text=True,
                          stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline() == "runs\n"
        assert read_progress(line).pid == process.pid
        process.kill()
        process.wait()
        assert line.progress_file.is_file() and read_progress(line) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"pid": "x", "start": null}',
                                  '{"pid": 1, "start": 2}'])
def test_a_damaged_file_tells_of_no_run(line, text) -> None:
    line.progress_file.parent.mkdir(parents=True)
    line.progress_file.write_text(text)
    assert read_progress(line) is None


def test_the_time_left_runs_on_while_nobody_writes(line) -> None:
    write_json(line.work_folder(SECONDS), {**LATER, "ddm_train": 90.0})
    with stage_progress(line, "ddm_train", console(terminal=False)):
        told = json.loads(line.progress_file.read_text())
        line.progress_file.write_text(json.dumps({**told, "told": time.time() - 100}))
        assert read_progress(line).seconds_left == pytest.approx(80, abs=5)
