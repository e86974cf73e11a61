"""Whatever goes wrong ends in one sentence and an exit code."""

import errno
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hdm import errors
from hdm.commands import exit_codes
from hdm.stages import runner

ROOT = Path(exit_codes.__file__).parents[2]


def python_m_hdm(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "hdm", *arguments], cwd=cwd, text=True,
                          capture_output=True, timeout=60)


@pytest.mark.parametrize("kind", [
    errors.HDMError, errors.ConfigError, errors.DataError, errors.ValidationFailed,
    errors.TrainingError, errors.RegistryError])
def test_our_errors_keep_their_sentence_and_exit_code(
        kind: type[errors.HDMError], capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_codes.report(kind("two\nlines")) == kind.exit_code
    assert capsys.readouterr().err == "error: two lines\n"


@pytest.mark.parametrize(("error", "part"), [
    (OSError(errno.ENOSPC, "No space left on device", "/data/x"), "disk is full while writing"),
    (OSError(errno.ENOSPC, "No space left on device"), "disk is full; free"),
    (PermissionError(errno.EACCES, "Permission denied", "/data/x"), "no permission for /data/x"),
    (OSError(errno.EROFS, "Read-only file system", "/data/x"), "Read-only file system"),
    (MemoryError(), "out of memory"),
    (KeyError("x"), "unexpected KeyError: 'x'; run with HDM_DEBUG=1"),
    (RuntimeError(), "unexpected RuntimeError: no details"),
])
def test_other_errors_are_explained(
        error: Exception, part: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_codes.report(error) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert part in said
    assert said.count("\n") == 1


def test_debug_shows_the_traceback_before_the_sentence(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("HDM_DEBUG", "1")
    exit_codes.report(ValueError("odd"))
    said = capsys.readouterr().err
    assert "ValueError: odd" in said.splitlines()[-2]
    assert said.splitlines()[-1].startswith("error: ")


def test_a_stage_error_reaches_the_exit_code(hdm, project, monkeypatch) -> None:
    def fails(stage: str, line: str) -> None:
        raise errors.ValidationFailed(f"{stage} of {line}: 2 images are blank.")

    monkeypatch.setattr(runner, "run_stage", fails)
    assert hdm("stage", "validate", "plates") == (
        4, "", "error: validate of plates: 2 images are blank.\n")


@pytest.mark.parametrize(("error", "code"), [
    (KeyboardInterrupt(), 130), (RuntimeError("odd"), 1), (SystemExit(143), 143)])
def test_other_ways_out_of_a_stage(hdm, project, monkeypatch, error, code) -> None:
    def fails(*_: str) -> None:
        raise error

    monkeypatch.setattr(runner, "run_stage", fails)
    found = hdm("stage", "ingest", "plates")
    assert found.code == code
    assert "Traceback" not in found.err


@pytest.mark.parametrize("arguments", [
    ("nonsense",), ("stage",), ("run",), ("lines", "add", "x", "y")])
def test_wrong_usage_is_explained_without_traceback(hdm, project, arguments) -> None:
    found = hdm(*arguments)
    assert found.code == 2
    assert "Usage" in found.err
    assert "Traceback" not in found.err


def test_outside_a_project(hdm, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = hdm("results")
    assert found.code == 2
    assert "expected a project with pipelines.yaml" in found.err


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    code = ("import sys; sys.argv = ['hdm', '--help']\nimport hdm.cli\n"
            "try:\n    hdm.cli.main()\nexcept SystemExit: pass\n"
            "heavy = {'torch', 'mlflow', 'prefect', 'pandas', 'numpy', 'matplotlib', 'sklearn',\n"
            "         'diffusers', 'great_expectations'} & set(sys.modules)\n"
            "print('HEAVY', sorted(heavy))")
    begin = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True,
                          timeout=60, check=True)
    assert time.monotonic() - begin < 10  # under 1 s on a quiet machine
    assert "HEAVY []" in done.stdout
    for command in ("run", "stage", "lines", "config", "samples", "predict", "report", "results",
                    "deployments"):
        assert command in done.stdout


def test_python_m_hdm_is_the_same_command(tmp_path: Path) -> None:
    from hdm import __version__

    assert python_m_hdm("--version").stdout == f"hdm {__version__}\n"
    done = python_m_hdm("stage", "nonsense", "nobody")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_a_terminated_command_cleans_up(tmp_path: Path) -> None:
    """SIGTERM leaves through `finally`, so no temporary file stays behind."""
    code = ("import hdm.stages.runner as s, time, pathlib\n"
            "from hdm.files import atomic_file\n"
            f"folder = pathlib.Path({str(tmp_path)!r})\n"
            "def run(*_):\n"
            "    with atomic_file(folder / 'out') as t:\n"
            "        t.write_text('half')\n"
            "        print('up', flush=True)\n"
            "        time.sleep(60)\n"
            "s.run_stage = run\n"
            "from hdm.cli import main\n"
            "main(['stage', 'ingest', 'x'])")
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True,
                               cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.terminate()
    assert process.wait(20) == 143
    assert list(tmp_path.iterdir()) == []
