"""Running one DVC stage, and reading what its ending means."""

import os
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

import psutil
import pytest
from services import processes_in, wait_for
from toy import ROOT

from flows.stage import (
    FAILED,
    REJECTED,
    StageFailed,
    Transcript,
    failure,
    owner,
    run_stage,
)
from hdm.orchestration import child_process
from hdm.registry.passing import worth_retrying


def heard(*lines: str) -> Transcript:
    transcript = Transcript(deque(maxlen=5))
    for line in lines:
        transcript.add(line)
    return transcript


def test_output_is_streamed_and_an_unchanged_stage_is_recognised(project: Path) -> None:
    lines: list[str] = []
    assert run_stage("dagm_fit", "good", project, lines.append) == "ran"
    assert "dagm_fit of good" in lines
    assert run_stage("dagm_fit", "good", project, lines.append) == "unchanged"


def test_validation_failure_carries_the_sentence_and_is_not_tried_again(project: Path) -> None:
    with pytest.raises(StageFailed) as caught:
        run_stage("validate", "bad_data", project, lambda _: None)
    assert str(caught.value) == \
        "validate@bad_data: 3 of 40 images are blank, first a.png; replace them."
    assert (caught.value.outcome, caught.value.passing) == (REJECTED, False)
    assert any("blank" in line for line in caught.value.tail)


def test_crash_names_the_last_thing_said(project: Path) -> None:
    with pytest.raises(StageFailed, match=r"RuntimeError: the loss is gone .*exit code 1"
                       ) as caught:
        run_stage("ddm_train", "crashing", project, lambda _: None)
    assert (caught.value.outcome, caught.value.passing) == (FAILED, False)


def test_unknown_stage_repeats_what_dvc_says(project: Path) -> None:
    with pytest.raises(StageFailed, match="not found inside"):
        run_stage("nonsense", "good", project, lambda _: None)


def test_broken_dvc_yaml_is_reported(project: Path) -> None:
    (project / "dvc.yaml").write_text("stages: [a: b: c]\n")
    with pytest.raises(StageFailed, match=r"dvc\.yaml"):
        run_stage("ingest", "good", project, lambda _: None)


@pytest.mark.parametrize("sentence", [
    "Unable to acquire lock. Most likely another DVC process is running or was terminated",
    "'data/x/ingest' is busy, it is being blocked by: (PID 7): dvc repro",
    "MLflow at http://x:5000 cannot be used: [Errno 111] Connection refused.",
    "MLflow cannot be used: <urlopen error timed out>",
    "(sqlite3.OperationalError) database is locked",
    "Temporary failure in name resolution",
    "MLflow answered 503 Service Unavailable",
    "(psycopg2.OperationalError) server closed the connection unexpectedly",
    "FATAL: the database system is starting up",
])
def test_hindrances_that_pass_are_tried_again(sentence: str) -> None:
    assert worth_retrying(sentence)
    assert failure("register", "x", heard(f"ERROR: {sentence}"), 255).passing


@pytest.mark.parametrize("sentence", [
    "12 of 503 images are blank",
    "params.yaml: unknown key 'seeed'; did you mean 'seed'?",
    "MLflow at sqlite:////a.db cannot be used: its folder is read-only.",
    "the disk is full",
    "MLflow cannot be used: [Errno 28] No space left on device, connection aborted.",
    "MLflow answered 507 Insufficient Storage: connection reset by peer",
    "S3 answered XMinioStorageFull; request timed out",
    "MLflow cannot be used: AccessDenied, connection aborted",
])
def test_lasting_hindrances_are_not(sentence: str) -> None:
    heard_line = heard(f"error: {sentence}", "ERROR: failed to run: hdm, exited with 2")
    assert not failure("validate", "x", heard_line, 255).passing


@pytest.mark.parametrize(("code", "outcome"), [
    (1, FAILED), (2, FAILED), (3, REJECTED), (4, REJECTED), (5, FAILED), (6, FAILED)])
def test_exit_code_of_the_stage_decides_the_outcome(code: int, outcome: str) -> None:
    transcript = heard("error: no.", f"ERROR: failed to reproduce 'a': hdm, exited with {code}")
    assert failure("ingest", "x", transcript, 255).outcome == outcome


def test_rejected_data_are_never_tried_again_whatever_they_say() -> None:
    transcript = heard("error: connection refused.png is blank.", "ERROR: x, exited with 4")
    assert not failure("validate", "x", transcript, 255).passing


def test_dvc_that_is_killed_itself_says_so() -> None:
    assert "killed by signal 15" in str(failure("ddm_train", "x", heard("epoch 3"), -15))


@pytest.mark.parametrize("code", [-9, 137])
def test_killed_stage_says_so(code: int) -> None:
    transcript = heard("epoch 3", f"ERROR: failed to run: hdm, exited with {code}")
    assert "killed by signal 9" in str(failure("ddm_train", "x", transcript, 255))


def test_last_sentence_wins_and_the_tail_is_short() -> None:
    transcript = heard("error: first.", *[f"line {n}" for n in range(9)], "error: last.")
    found = failure("ingest", "x", transcript, 255)
    assert found.sentence == "last."
    assert len(found.tail) == 5


def test_silent_failure_still_gives_a_sentence() -> None:
    assert "exit code 7" in str(failure("ingest", "x", heard(), 7))


def test_run_from_dvc_cache_is_told_apart() -> None:
    assert heard("Stage 'a@b' is cached - skipping run, checking out outputs").result == "cached"


def test_stopping_ends_dvc_and_the_stage_under_it(project: Path) -> None:
    """DVC alone would leave its stage running."""
    started = project / "data" / "stuck" / "pid"

    class Stop(BaseException):
        pass

    process: list[psutil.Process] = []

    def interrupt_when_running(_line: str) -> None:
        deadline = time.monotonic() + 20
        while not started.is_file() and time.monotonic() < deadline:
            time.sleep(0.05)
        if started.is_file() and not process:
            process.append(psutil.Process(int(started.read_text())))
            raise Stop

    with pytest.raises(Stop):
        run_stage("ingest", "stuck", project, interrupt_when_running)
    assert process
    gone, alive = psutil.wait_procs(process, timeout=5)
    assert gone and not alive


def test_a_group_that_ignores_the_request_is_killed(monkeypatch: pytest.MonkeyPatch,
                                                    tmp_path: Path) -> None:
    monkeypatch.setattr(child_process, "GRACE", 0.3)
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt), \
            child_process.running(["python", "-c", code], tmp_path, capture=True) as process:
        assert next(child_process.lines(process)) == "up"
        raise KeyboardInterrupt
    assert process.returncode == -9
    assert time.monotonic() - begin < 20


def test_child_sees_this_interpreter_first(tmp_path: Path) -> None:
    import sys

    with child_process.running(["python", "-c", "import sys; print(sys.prefix)"], tmp_path,
                       capture=True) as process:
        assert list(child_process.lines(process)) == [sys.prefix]
    assert child_process.environment()["PYTHONUNBUFFERED"] == "1"


def test_time_limit_stops_the_stage_under_dvc_and_is_not_tried_again(project: Path) -> None:
    with pytest.raises(StageFailed, match="the limit `stage_hours`") as caught:
        run_stage("ingest", "stuck", project, lambda _: None, hours=4 / 3600)
    assert (caught.value.outcome, caught.value.passing) == (FAILED, False)
    assert processes_in(project) == []


def test_what_a_killed_run_left_behind_is_stopped(project: Path) -> None:
    code = ("from pathlib import Path\nfrom flows.stage import run_stage\n"
            "run_stage('ingest', 'stuck', Path.cwd(), print)")
    killed = subprocess.Popen([sys.executable, "-c", code], cwd=project,
                              env={**os.environ, "PYTHONPATH": str(ROOT)})
    started = project / "data" / "stuck" / "pid"
    wait_for(lambda: started.is_file() and started.read_text(), 60, "the stage runs")
    stage = psutil.Process(int(started.read_text()))
    killed.kill()
    killed.wait()
    assert stage.is_running()
    assert child_process.stop_left_over(owner("good", project)) == 0
    assert child_process.stop_left_over(owner("stuck", project)) >= 2  # DVC and its stage
    psutil.wait_procs([stage], timeout=5)
    assert not stage.is_running()


def test_damaged_dvc_lock_is_mended_and_told(project: Path) -> None:
    for _ in range(2):
        run_stage("dagm_fit", "good", project, lambda _: None)
    (project / "dvc.lock").write_text("")
    said: list[str] = []
    assert run_stage("dagm_fit", "good", project, said.append) == "unchanged"
    assert "dvc.lock was damaged" in said[0]


def test_dvc_is_let_finish_when_its_stage_is_stopped(project: Path) -> None:
    """Killed while it writes dvc.lock, it would leave half a file."""
    command = child_process.dvc("repro", "-s", "ingest@stuck")
    started = project / "data" / "stuck" / "pid"
    with child_process.running(command, project, capture=True) as process:
        wait_for(lambda: started.is_file() and started.read_text(), 60, "the stage runs")
        child_process.stop(process)
        assert process.returncode == 255  # its own ending, not a signal's
    assert processes_in(project) == []


def test_output_ends_with_the_process_though_something_it_left_holds_it_open(tmp_path) -> None:
    code = ("import subprocess, sys; print('one\\n\\nold\\rtwo', flush=True)\n"
            "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
            "print('three', end='', flush=True)")
    with child_process.running([sys.executable, "-c", code], tmp_path, capture=True) as process:
        try:
            assert list(child_process.lines(process)) == ["one", "two", "three"]
            assert process.wait() == 0
        finally:
            child_process.stop(process)
