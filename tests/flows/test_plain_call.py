"""The flow as a plain function: behind a proxy, on a slow machine, with errors."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows import plain_call
from flows.stage import StageFailed
from hdm.errors import ConfigError, DataError

ROOT = Path(__file__).parents[2]
CALL = "from flows.retrain import hdm_retrain; hdm_retrain(product_line='nosuch')"


def call(folder: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    (folder / "pipelines.yaml").write_text("lines: {}\n")
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("PREFECT_") and name.lower() != "no_proxy"}
    return subprocess.run([sys.executable, "-c", CALL], cwd=folder, text=True, timeout=400,
                          capture_output=True, env={
        **kept, "PYTHONPATH": str(ROOT), "PREFECT_HOME": str(folder / "home"), **extra})


@pytest.mark.parametrize(("extra", "said"), [
    pytest.param({"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9",
                  "ALL_PROXY": "http://127.0.0.1:9"},
                 "no product line 'nosuch' in pipelines.yaml", marks=pytest.mark.slow),
    ({plain_call.WAITS: "1"}, "temporary server did not answer within 1 seconds"),
    ({"PREFECT_API_URL": "http://127.0.0.1:9/api"},
     "expected a Prefect server at http://127.0.0.1:9/api, which does not answer")])
def test_a_plain_call_ends_in_one_sentence(tmp_path: Path, extra: dict[str, str], said: str
                                           ) -> None:
    done = call(tmp_path, **extra)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert sum(line.startswith("error: ") for line in done.stderr.splitlines()) == 1


@pytest.mark.parametrize("error", [
    ConfigError("no product line 'x'"), DataError("no images"),
    StageFailed("ingest", "plate", "killed by signal 9")])
def test_foreseen_errors_are_their_sentence(error: Exception) -> None:
    assert plain_call.sentence(error) == str(error)


@pytest.mark.parametrize("error", [RuntimeError("other"), ValueError("Failed to reach API"),
                                   KeyboardInterrupt()])
def test_the_unforeseen_keeps_its_traceback(
        error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[BaseException] = []
    monkeypatch.setattr(plain_call, "_before", lambda _kind, error, _trace: seen.append(error))
    plain_call.report(type(error), error, None)
    assert seen == [error]


@pytest.mark.parametrize(("debug", "traced"), [("", False), ("0", False), ("1", True)])
def test_debugging_shows_the_traceback(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], debug: str,
        traced: bool) -> None:
    seen: list[BaseException] = []
    monkeypatch.setattr(plain_call, "_before", lambda _kind, error, _trace: seen.append(error))
    monkeypatch.setenv("HDM_DEBUG", debug)
    plain_call.report(DataError, DataError("no images"), None)
    assert bool(seen) is traced
    assert ("error: no images" in capsys.readouterr().err) is not traced
