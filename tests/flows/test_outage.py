"""A run while Prefect's server is away: what it waits for, and what it does without."""

import subprocess
import sys
from pathlib import Path

import pytest

from flows import outage


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize(("failures", "told"), [(0, True), (2, True), (99, False)])
def test_what_cannot_be_told_costs_no_run(
        monkeypatch: pytest.MonkeyPatch, failures: int, told: bool) -> None:
    from prefect import flow

    monkeypatch.setattr(outage._attempt, "retry_delay_seconds", [0] * len(outage.DELAYS))
    left = [failures]

    def call() -> None:
        if left[0]:
            left[0] -= 1
            raise RuntimeError("Failed to reach API at http://x/api")

    @flow
    def result() -> str:
        return f"kept, told {outage.tell('the results', call)}"

    assert result() == f"kept, told {told}"


def test_a_run_that_nobody_hears_goes_on(tmp_path: Path) -> None:
    code = ("import subprocess, sys\nfrom flows.start import Unheard\n"
            "sys.stdout = Unheard(sys.stdout)\ninput()\n"
            "print('to nobody', flush=True)\nprint('again', flush=True)\n"
            "subprocess.run(['echo', 'of a stage'], check=True)\n"
            f"open({str(tmp_path / 'done')!r}, 'w').close()\n")
    run = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE)
    assert run.stdin and run.stdout
    run.stdout.close()
    run.communicate(b"go\n", timeout=60)
    assert run.returncode == 0
    assert (tmp_path / "done").is_file()
