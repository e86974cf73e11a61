"""A plant's life by the runbook: PostgreSQL, a store of the S3 type, two lines, two checkouts.

The tests tell one story and build on one another, in this order.
"""

import os
import shutil
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import mlflow
import psutil
import pytest
from plant import LINE, OTHER, ROOT, call, commit, make_plant
from runbook import NOT_HERE, PAGE, Person, blocks
from services import Prefect, free_port, kill, processes_in, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
SCRIPT = ("sh", "docs/production/plant.sh")


class Site:
    """A machine with a checkout, a second checkout, and a store of the S3 type."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.project = folder, make_plant(folder / "live", LINE, OTHER)
        self.second, self.plant = folder / "live" / "second", folder / "servers"
        prefect_port, mlflow_port, self.store_port = free_port(), free_port(), free_port()
        self.registry = f"http://127.0.0.1:{mlflow_port}"
        self.store = f"http://127.0.0.1:{self.store_port}"
        self.services = Prefect(
            self.project, folder / "home",
            PREFECT_API_URL=f"http://127.0.0.1:{prefect_port}/api",
            MLFLOW_TRACKING_URI=self.registry, MLFLOW_S3_ENDPOINT_URL=self.store,
            AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="secret", AWS_DEFAULT_REGION="us-east-1",
            PLANT_FOLDER=str(self.plant), PLANT_PREFECT_PORT=str(prefect_port),
            PLANT_MLFLOW_PORT=str(mlflow_port), PLANT_POSTGRES_PORT=str(free_port()),
            HDM_ACTOR="Ada")
        self.waiting: list[str] = []
        self.services.api = f"http://127.0.0.1:{prefect_port}/api"
        self.person = Person(self.services, {
            "/srv/backups": str(folder / "backups"), "2026-11-28": "$(date +%F)",
            "my_line": LINE, "$(hostname)": f"first-{os.getpid()}",
            "http://plant.example.com:4200": f"http://127.0.0.1:{prefect_port}",
            "http://plant.example.com:5000": self.registry, "http://127.0.0.1:9000": self.store,
            "AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=...": "AWS_DEFAULT_REGION=us-east-1",
            "https://git.example.com/plant.git": str(folder / "origin.git"),
            "/srv/hdm": str(self.second)})

    def buy_a_store(self) -> None:
        """An empty one in the place of the former."""
        self.shop = self.services.start("moto_server", "-H", "127.0.0.1", "-p",
                                        str(self.store_port), log="store.log")
        wait_for(lambda: urllib.request.urlopen(self.store, timeout=5), 60, "the store answers")

    def hdm(self, *words: str) -> str:
        return self.services.call("python", "-m", "hdm", *words)

    def retrain(self, line: str) -> str:
        return self.ended(self.services.request(f"hdm-retrain/{line}"))

    def ended(self, run: str) -> str:
        state = self.services.ended(run, 600)
        assert state["type"] != "FAILED", state
        return str(state["name"])

    def versions(self, line: str = LINE) -> set[str]:
        found = mlflow.MlflowClient(self.registry).search_model_versions(f"name = 'hdm-{line}'")
        return {str(one.version) for one in found}

    def champion(self, line: str = LINE) -> str:
        aliases = mlflow.MlflowClient(self.registry).get_registered_model(f"hdm-{line}").aliases
        return str(aliases["champion"])

    def servers(self) -> list[psutil.Process]:
        """All that plant.sh has started."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                mark = process.environ().get("PLANT_SERVER", "")
                if mark.endswith(f" {self.plant}") or str(self.plant) in process.cmdline():
                    found.append(process)
        return found

    def destroy(self) -> None:
        """Nothing is left but the checkouts, the repository and the backups."""
        end([*self.servers(), *processes_in(self.project, ["prefect worker"])])
        kill(self.shop)
        wait_for(lambda: not self.servers(), 30, "all are dead")
        shutil.rmtree(self.plant)

    def close(self) -> None:
        self.services.stop()
        end([*self.servers(), *processes_in(self.second)])


def end(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    for module in ("psycopg2", "moto", "dvc_s3"):
        pytest.importorskip(module)
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        pytest.skip("PostgreSQL is not installed")
    # The user postgres must be able to enter it.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        made = Site(folder)
        shutil.copytree(ROOT / "docs" / "production", made.project / "docs" / "production")
        try:
            made.buy_a_store()
            yield made
        finally:
            made.close()


def test_nothing_that_is_not_typed_here_is_on_the_page() -> None:
    assert all(f"\n{line}" in PAGE for line in NOT_HERE)


def test_the_plant_starts_and_a_line_is_trained(site: Site) -> None:
    site.hdm("deployments", "write")
    commit(site.project, "Deployments")
    for block in blocks("Starting the plant"):
        said = site.person.types(block)
    assert "deployments are on" in said
    assert site.retrain(LINE) == "Promoted"
    assert site.champion() == "1"


def test_no_password_is_seen_and_nobody_else_reads_it(site: Site) -> None:
    file = site.plant / "passwords"
    assert file.stat().st_mode & 0o777 == 0o600
    secrets = [row.split(":")[-1] for row in file.read_text().split()]
    assert len(set(secrets)) == 3 and all(len(secret) == 32 for secret in secrets)
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            assert not any(secret in " ".join(process.cmdline()) for secret in secrets)


def test_what_was_made_is_pushed_and_a_second_machine_pulls_it(site: Site) -> None:
    site.person.types(next(block for block in blocks("Production") if "s3://" in block))
    commit(site.project, "The first models, and where they are kept")
    call("git", "clone", "-q", "--bare", str(site.project), str(site.folder / "origin.git"),
         cwd=site.folder)
    call("git", "remote", "add", "origin", str(site.folder / "origin.git"), cwd=site.project)
    call("git", "fetch", "-q", "origin", cwd=site.project)
    branch = call("git", "branch", "--show-current", cwd=site.project).stdout.strip()
    call("git", "branch", "-u", f"origin/{branch}", cwd=site.project)
    [block] = blocks("Adding a worker")
    site.person.types(block, site.folder, **{"$(hostname)": f"second-{os.getpid()}"})
    detector = f"data/{LINE}/ddm_train/detector/discriminator.safetensors"
    assert (site.second / detector).read_bytes() == (site.project / detector).read_bytes()
    wait_for(lambda: len(online(site)) == 2, 60, "two workers")


def test_one_is_drained_and_all_are_paused(site: Site) -> None:
    one, all_of_them = blocks("Draining a worker")
    site.person.types(one, **{"$(hostname)": f"second-{os.getpid()}"})
    wait_for(lambda: not processes_in(site.second, ["prefect worker"]), 60, "the worker ends")
    assert processes_in(site.project, ["prefect worker"])
    said = site.person.types(all_of_them)
    assert "paused" in said.lower() and "resumed" in said.lower()
    assert site.retrain(OTHER) == "Promoted"
    assert site.champion(OTHER) == "1"


def test_another_version_is_let_in_and_taken_back(site: Site) -> None:
    site.hdm("operating-point", LINE, "--false-alarms", "0.2", "--why", "too many were stopped")
    site.retrain(LINE)
    assert site.versions() == {"1", "2"}
    if site.champion() == "1":
        site.hdm("promote", LINE, "2", "--why", "asked for")
    assert site.champion() == "2"
    site.hdm("rollback", LINE, "--why", "it was wrong all the same")
    assert site.champion() == "1"


def test_a_backup_is_made_while_two_requests_wait(site: Site) -> None:
    site.person.types("prefect work-pool pause hdm-pool")
    site.waiting = [site.services.request(f"hdm-retrain/{OTHER}") for _ in range(2)]
    [block] = blocks("Backing up")
    site.person.types(block)
    [backup] = (site.folder / "backups").iterdir()
    assert {"prefect.dump", "mlflow.dump", "artifacts", "SHA256SUMS"} == {
        file.name for file in backup.iterdir()}


def test_all_is_lost_and_comes_back(site: Site) -> None:
    site.destroy()
    site.buy_a_store()
    [block] = blocks("Restoring")
    said = site.person.types(block)
    assert "restored from" in said
    assert site.versions() == {"1", "2"} and site.champion() == "1"
    assert {site.ended(run) for run in site.waiting} <= {"Joined", "Unchanged"}
    picture = next((site.folder / "live/camera/test").rglob("*.png"))
    said = call("python", "-m", "hdm", "predict", LINE, str(picture), cwd=site.second,
                **site.services.environment).stdout
    assert "version 1" in said
    site.services.call("dvc", "push")


def test_the_plant_is_upgraded(site: Site) -> None:
    [block] = blocks("Upgrading")
    said = site.person.types(block)
    assert "both databases are those of the installed versions" in said
    assert "Completed" in said or "finished" in said.lower()
    assert site.versions() == {"1", "2"}


def test_all_was_killed_and_start_is_enough(site: Site) -> None:
    end(site.servers())
    assert call(*SCRIPT, "status", cwd=site.project, check=False,
                **site.services.environment).returncode == 3
    call(*SCRIPT, "start", cwd=site.project, **site.services.environment)
    before = {process.pid for process in site.servers()}
    call(*SCRIPT, "start", cwd=site.project, **site.services.environment)
    assert {process.pid for process in site.servers()} == before
    assert site.versions() == {"1", "2"}
    call(*SCRIPT, "stop", cwd=site.project, **site.services.environment)
    assert not site.servers()


def online(site: Site) -> list[Any]:
    workers = site.services.post("work_pools/hdm-pool/workers/filter", {})
    return [one for one in workers if one["status"] == "ONLINE"]
