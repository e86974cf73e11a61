"""`hdm run` on the toy project: real DVC, without Prefect."""

import os
import subprocess
import sys
from pathlib import Path

from toy import calls

ROOT = Path(__file__).parents[2]


def hdm_run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "hdm", "run", *arguments], cwd=project, text=True,
                          capture_output=True, timeout=120,
                          env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"})


def test_whole_line_ends_with_its_result(project: Path) -> None:
    done = hdm_run(project, "held_back")
    assert done.returncode == 0, done.stderr
    # The toy's stages do not depend on one another.
    assert calls(project) == ["register@held_back"]
    assert "held" in done.stdout


def test_failure_is_told_and_the_reason_is_visible(project: Path) -> None:
    done = hdm_run(project, "bad_data", "--from", "validate")
    assert done.returncode == 2
    assert "error: 3 of 40 images are blank" in done.stderr
    assert "bad_data did not get through" in done.stderr.splitlines()[-1]


def test_force_runs_what_did_not_change(project: Path) -> None:
    for arguments in ((), (), ("--force",)):
        assert hdm_run(project, "good", "--from", "dagm_fit", *arguments).returncode == 0
    assert calls(project) == ["dagm_fit@good"] * 2


def test_unknown_stage_or_line(project: Path) -> None:
    assert "no stage 'dagm'" in hdm_run(project, "good", "--from", "dagm").stderr
    assert "no product line 'x'" in hdm_run(project, "x").stderr
