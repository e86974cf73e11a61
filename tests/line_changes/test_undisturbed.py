"""A line that somebody works with is neither renamed nor removed."""

import fcntl
import subprocess
import sys

import pytest
from filelock import FileLock

from hdm.line import Line
from hdm.orchestration.run_progress import run_shown
from hdm.serving.line_in_use import serving

COMMANDS = (("rename", "plate", "lid", "--yes"), ("remove", "plate", "--yes"))
HOLD = """\
import sys
from pathlib import Path
from hdm.stages.one_writer import only_writer
with only_writer(Path("data/plate/.work/ddm_train.lock"), "ddm_train of plate"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("command", COMMANDS)
def test_a_stage_that_runs_is_not_disturbed(hdm, plant, command) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True, cwd=plant) as holder:
        assert holder.stdout and holder.stdout.readline() == "held\n"
        code, said = hdm("lines", *command)
        assert code == 2 and "another run of ddm_train of plate is going on" in said
        holder.communicate("")
    assert hdm("lines", *command)[0] == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_a_server_that_has_the_line_is_not_disturbed(hdm, plant, command) -> None:
    with serving(plant, ["plate", "mesh"]), serving(plant, ["plate"]):
        code, said = hdm("lines", *command)
        assert code == 2 and "`hdm serve` or `hdm watch` has plate loaded" in said
    assert (plant / "data/plate").is_dir()


def test_flows_runs_and_other_changes_are_not_disturbed(hdm, plant) -> None:
    with FileLock(plant / ".hdm/retrain-plate.lock"):
        code, said = hdm("lines", *COMMANDS[0])
        assert code == 2 and "a retraining of plate is under way" in said
    with run_shown(Line.load("plate", plant)):
        code, said = hdm("lines", *COMMANDS[1])
        assert code == 2 and "a run of plate is under way" in said
    with FileLock(plant / ".hdm/lines.lock"):
        code, said = hdm("lines", *COMMANDS[0])
        assert code == 2 and "another `hdm lines` is at work" in said


def test_no_server_begins_while_its_line_is_changed(plant) -> None:
    from hdm.errors import HDMError

    with (plant / ".hdm/serving-plate.lock").open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(HDMError, match="being renamed or removed"), serving(plant, ["plate"]):
            pass
