"""Two checkouts with a worker each: one is killed in the middle of a line, the other ends it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.pool import worker_kills
from benchmarks.pool.two_checkouts import Pool, pool

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
STAGE = "ddm_train"
LINES = [worker_kills.UNBROKEN, worker_kills.name(STAGE)]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    with pool(tmp_path_factory.mktemp("two_workers") / "pool", LINES, {"seed": 3}) as running:
        yield running


def test_a_killed_line_is_ended_elsewhere_as_if_nothing_had_been(two: Pool) -> None:
    wanted = worker_kills.unbroken(two)
    row = worker_kills.killed(two, STAGE, wanted, print)
    assert row["as unbroken"], row
    assert row["begun"] == 2


def test_another_checkout_finds_the_line_done(two: Pool, tmp_path: Path) -> None:
    made, receipt = two.receipt(worker_kills.UNBROKEN)
    other = next(site for name, site in two.sites.items() if name != made)
    said = other.call("python", "-m", "hdm", "run", worker_kills.UNBROKEN)
    assert said.count("is cached - skipping run") == 8  # configure, and all stages but register
    assert "made elsewhere" in said
    assert len(two.versions(worker_kills.UNBROKEN)) == 1
    file = other.project / "data" / worker_kills.UNBROKEN / "register" / "receipt.json"
    assert receipt["version"] in file.read_text()
