"""One writer a stage: a second one is refused, an orphan is stopped, a late one writes nothing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hdm.errors import HDMError
from hdm.files import atomic_file, atomic_folder
from hdm.stages.one_writer import only_writer

LOCK = "writer.lock"

HOLD = """
import sys, time
from pathlib import Path
from hdm.files import write_text
from hdm.stages.one_writer import only_writer
with only_writer(Path(sys.argv[1], "writer.lock"), "ddm_train of plate"):
    print("mine", flush=True)
    time.sleep(float(sys.argv[2]))
    write_text(Path(sys.argv[3]), "late")
"""
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], *sys.argv[2:]])
print(child.pid, flush=True)
time.sleep(600)
"""


def holding(folder, seconds, target):
    """A process that has the lock."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, folder, str(seconds), target],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "mine\n"
    return process


def orphan(folder, target):
    """Number of a process that has the lock and whose parent was killed."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, HOLD, folder, "60", target],
                              stdout=subprocess.PIPE, text=True)
    said = {parent.stdout.readline().strip(), parent.stdout.readline().strip()}
    assert "mine" in said
    parent.kill()
    parent.wait()
    return int((said - {"mine"}).pop())


def gone(number):
    for _ in range(100):
        try:
            if Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


def test_a_second_writer_is_refused_while_the_first_one_lives(tmp_path):
    first = holding(tmp_path, 60, tmp_path / "out")
    try:
        with pytest.raises(HDMError, match=rf"another run of .* \(process {first.pid}\)"), \
                only_writer(tmp_path / LOCK, "ddm_train of plate"):
            pytest.fail("two writers")
    finally:
        first.kill()
        first.communicate()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_dead_writer_blocks_nobody(tmp_path, end):
    first = holding(tmp_path, 60, tmp_path / "out")
    first.send_signal(end)
    first.communicate()
    with only_writer(tmp_path / LOCK, "ddm_train of plate"):
        assert (tmp_path / LOCK).read_text().count(str(os.getpid())) >= 1


def test_an_orphan_is_stopped_and_said(tmp_path, capsys):
    number = orphan(tmp_path, tmp_path / "out")
    with only_writer(tmp_path / LOCK, "ddm_train of plate"):
        assert gone(number)
    assert f"process {number}" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '[{"pid": 1}]', "[1]"])
def test_a_holder_that_does_not_say_who_it_is_is_left_alone(tmp_path, content):
    first = holding(tmp_path, 60, tmp_path / "out")
    try:
        (tmp_path / LOCK).write_text(content)
        with pytest.raises(HDMError, match="another run of"), \
                only_writer(tmp_path / LOCK, "ddm_train of plate"):
            pytest.fail("two writers")
        assert first.poll() is None
    finally:
        first.kill()
        first.communicate()


def test_a_number_that_another_process_has_now_is_not_stopped(tmp_path):
    first = holding(tmp_path, 60, tmp_path / "out")
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        (tmp_path / LOCK).write_text(
            f'[{{"pid": {bystander.pid}, "start": 1.0, "name": "python"}},'
            f' {{"pid": {bystander.pid}, "start": 1.0, "name": "dvc"}}]')
        with pytest.raises(HDMError), only_writer(tmp_path / LOCK, "x of y"):
            pytest.fail("two writers")
        assert bystander.poll() is None and first.poll() is None
    finally:
        for process in (bystander, first):
            process.kill()
        first.communicate()
        bystander.wait()


@pytest.mark.parametrize("replaced", [True, False])
def test_a_late_writer_gives_nothing_its_final_name(tmp_path, replaced):
    work, target, folder = tmp_path / "work", tmp_path / "a.json", tmp_path / "out"
    target.write_text("newer")
    with only_writer(work / LOCK, "evaluate of plate"):
        (work / LOCK).unlink()
        if replaced:
            (work / LOCK).write_text("")
        with pytest.raises(HDMError, match="taken over"), atomic_file(target) as temporary:
            temporary.write_text("late")
        with pytest.raises(HDMError, match="taken over"), atomic_folder(folder) as temporary:
            (temporary / "a").write_text("late")
    assert target.read_text() == "newer" and not folder.exists()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.json", "work"]


def test_outside_a_stage_nothing_is_asked(tmp_path):
    with only_writer(tmp_path / "work" / LOCK, "evaluate of plate"):
        pass
    (tmp_path / "work" / LOCK).unlink()
    with atomic_file(tmp_path / "a") as temporary:
        temporary.write_text("fine")
    assert (tmp_path / "a").read_text() == "fine"
