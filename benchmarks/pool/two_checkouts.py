"""Servers, a DVC remote in a folder, and two checkouts with a worker each."""

import contextlib
import hashlib
import json
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from plant import LINE, call, make_plant, read_yaml, write_yaml
from services import POOL, Prefect, free_port, processes_in, wait_for

from hdm.samples import draw_line

ROOT = Path(__file__).parents[2]
NAMES = ("one", "two")
LOST_AFTER = 45
"""Seconds; a run gives a sign of life every 30."""
ENOUGH = 0.4
"""Of a sample line's pictures; with fewer the project's own settings refuse to train."""


class Pool:
    """Lines with the same pictures and settings, in two checkouts of one project."""

    def __init__(self, folder: Path, lines: list[str], overrides: dict[str, Any], *, real: bool,
                 there: bool) -> None:
        self.folder, self.lines, self.port = folder, lines, free_port()
        settings = {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{self.port}",
                    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "HDM_ACTOR": "bench"}
        if real:  # tests ask for work every second, which a queue of a hundred makes costly
            settings["PREFECT_WORKER_QUERY_SECONDS"] = "5"
        checkouts = {name: folder / name for name in NAMES}
        if not there:
            self._check_out(overrides, real)
            (folder / "desk").mkdir()
        self.desk = Prefect(folder / "desk", folder / "home", **settings)
        self.sites = {}
        for name, checkout in checkouts.items():
            site = Prefect(checkout, folder / f"home-{name}", **settings)
            site.environment["PREFECT_API_URL"] = site.api = self.desk.api
            self.sites[name] = site

    def _check_out(self, overrides: dict[str, Any], real: bool) -> None:
        first = make_plant(self.folder, LINE, git=False).rename(self.folder / NAMES[0])
        if real:
            shutil.copyfile(ROOT / "params.yaml", first / "params.yaml")
            shutil.rmtree(self.folder / "camera")
            draw_line("brushed_plate", self.folder / "camera", scale=ENOUGH)
        content = read_yaml(first / "pipelines.yaml")
        entry = {**content["lines"][LINE], "overrides": overrides}
        write_yaml(first / "pipelines.yaml", {
            "sample_lines": [], "lines": dict.fromkeys(self.lines, entry)})
        call("dvc", "remote", "add", "-d", "shelf", str(self.folder / "shelf"), cwd=first)
        for name in NAMES[1:]:
            shutil.copytree(first, self.folder / name)

    def start(self) -> None:
        """Both servers, deployments, both workers."""
        self.desk.server()
        self.desk.start(
            "mlflow", "server", "--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db",
            "--artifacts-destination", str(self.folder / "artifacts"), "--host", "127.0.0.1",
            "--port", str(self.port), "--workers", "1", log="mlflow.log")
        wait_for(lambda: urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5),
                 240, "MLflow answers")
        done = subprocess.run(
            ["python", "-m", "hdm", "deployments", "apply", "--lost-after", str(LOST_AFTER)],
            cwd=self.folder / NAMES[0], env=self.sites[NAMES[0]].environment, text=True,
            capture_output=True)
        assert done.returncode == 0, done.stdout + done.stderr
        for site in self.sites.values():
            site.worker()

    def kill(self, name: str) -> None:
        """kill -9 of the worker of a checkout and of all that works there."""
        for process in processes_in(self.sites[name].project):
            with contextlib.suppress(psutil.Error):
                process.kill()
        for process in self.sites[name].started:
            process.wait(60)

    def running(self, line: str) -> tuple[str, str]:
        """The checkout in which the line is under way, and its stage; twice "" before it is."""
        for name, site in self.sites.items():
            file = site.project / "data" / line / ".work" / "progress.json"
            with contextlib.suppress(OSError, ValueError):
                return name, str(json.loads(file.read_text())["stage"])
        return "", ""

    def flow_run(self, run: str) -> dict[str, Any]:
        return dict(self.desk.get(f"flow_runs/{run}"))

    def runs(self) -> list[dict[str, Any]]:
        """All of the lines, in one question: one a run kept the server busy."""
        return list(self._answer("flow_runs/filter", {"flows": {"name": {"any_": [
            "hdm-retrain"]}}}))

    def pause(self, paused: bool) -> None:
        """Whether workers begin no more lines; what is under way goes on."""
        self._answer(f"work_pools/{POOL}", {"is_paused": paused}, "PATCH")

    def _answer(self, path: str, content: Any, method: str = "POST") -> Any:
        """SQLite on a busy machine: Prefect's server answers 503 and is asked again."""
        return wait_for(lambda: [self.desk.post(path, content, method)], 120, path)[0]

    def receipt(self, line: str) -> tuple[str, dict[str, Any]]:
        """The checkout that has the line's newest receipt, and the receipt."""
        files = {name: site.project / "data" / line / "register" / "receipt.json"
                 for name, site in self.sites.items()}
        there = {name: file for name, file in files.items() if file.is_file()}
        newest = max(there, key=lambda name: there[name].stat().st_mtime)
        return newest, dict(json.loads(there[newest].read_text()))

    def versions(self, line: str) -> list[Any]:
        return list(self._client().search_model_versions(f"name = 'hdm-{line}'"))

    def sums(self, line: str, version: str) -> dict[str, str]:
        """Path -> SHA-256 of a registered version, as its SHA256SUMS has them; of the files that
        name the line, as if they did not."""
        from mlflow.artifacts import download_artifacts

        self._client()
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(download_artifacts(f"models:/hdm-{line}/{version}", dst_path=scratch))
            rows = (row.split("  ", 1)
                    for row in (folder / "SHA256SUMS").read_text().splitlines())
            sums = {path: digest for digest, path in rows}
            for path in sums:
                content = (folder / path).read_bytes()
                if line.encode() in content:
                    nameless = content.replace(line.encode(), b"LINE")
                    sums[path] = hashlib.sha256(nameless).hexdigest()
            return sums

    def _client(self) -> Any:
        import mlflow

        address = f"http://127.0.0.1:{self.port}"
        mlflow.set_tracking_uri(address)
        return mlflow.MlflowClient(address, address)

    def stop(self) -> None:
        for site in (*self.sites.values(), self.desk):
            site.stop()


@contextlib.contextmanager
def pool(folder: Path, lines: list[str], overrides: dict[str, Any], *, real: bool = False,
         there: bool = False) -> Iterator[Pool]:
    """A pool in `folder`, which is emptied first; all that it started is gone afterwards.

    real: with the project's settings instead of those that train in a second. there: the pool is
    one of an earlier day, and starts again with what it had.
    """
    if not there:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    made = Pool(folder, lines, overrides, real=real, there=there)
    try:
        made.start()
        yield made
    finally:
        made.stop()
