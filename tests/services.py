"""Real servers for tests: Prefect with a worker, on free ports, in folders of their own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[1]
PROGRAMS = Path(sys.executable).parent
POOL = "hdm-pool"
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(what: Callable[[], Any], seconds: float, why: str) -> Any:
    """The first true answer of `what`; a server that starts may refuse."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(OSError):
            if found := what():
                return found
        assert time.monotonic() < deadline, f"{why}: not within {seconds} s"
        time.sleep(0.5)


class Prefect:
    """A Prefect server, and workers that run a project's deployments."""

    def __init__(self, project: Path, home: Path, **extra: str) -> None:
        self.project, self.home, self.port = project, home, free_port()
        self.api = f"http://127.0.0.1:{self.port}/api"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(
                ("PREFECT_", "MLFLOW_", "HDM_", "DVC_", "GIT_", "COV_CORE"))},
            "PATH": os.pathsep.join([str(PROGRAMS), os.environ["PATH"]]),
            "PYTHONPATH": str(ROOT), "PREFECT_HOME": str(home), "PREFECT_API_URL": self.api,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "true",
            "DVC_NO_ANALYTICS": "1", "PREFECT_WORKER_QUERY_SECONDS": "1", "COLUMNS": "200",
            "PREFECT_CLI_COLORS": "false", "PWD": str(project), "OMP_NUM_THREADS": "1", **extra}
        self.started: list[subprocess.Popen[bytes]] = []
        self.home.mkdir(parents=True, exist_ok=True)

    def start(self, *command: str, log: str) -> subprocess.Popen[bytes]:
        """A program of the environment in the project's folder; its output goes to a file."""
        with (self.home / log).open("ab") as output:
            process = subprocess.Popen(
                [str(PROGRAMS / command[0]), *command[1:]], cwd=self.project, stdout=output,
                env=self.environment, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                start_new_session=True)
        self.started.append(process)
        return process

    def server(self) -> subprocess.Popen[bytes]:
        process = self.start("prefect", "server", "start", "--host", "127.0.0.1",
                             "--port", str(self.port), log="server.log")
        wait_for(lambda: self.get("health"), 300, "the Prefect server answers")
        return process

    def worker(self, limit: int = 1) -> subprocess.Popen[bytes]:
        return self.start("prefect", "worker", "start", "--pool", POOL, "--type", "hdm",
                          "--limit", str(limit), log="worker.log")

    def call(self, *command: str, check: bool = True) -> str:
        """Run a program to its end; its output."""
        done = subprocess.run(
            [str(PROGRAMS / command[0]), *command[1:]], cwd=self.project, env=self.environment,
            capture_output=True, text=True, timeout=240, stdin=subprocess.DEVNULL)
        assert not (check and done.returncode), done.stdout + done.stderr
        return done.stdout + done.stderr

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.api}/{path}", timeout=20) as answer:
            return json.load(answer)

    def post(self, path: str, content: Any, method: str = "POST") -> Any:
        request = urllib.request.Request(
            f"{self.api}/{path}", json.dumps(content).encode(),
            {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or "null")

    def request(self, deployment: str) -> str:
        """Ask for a run of a deployment; its id."""
        found = self.get(f"deployments/name/{deployment}")
        path = f"deployments/{found['id']}/create_flow_run"
        # SQLite on a busy machine: the server answers 503 and the clients of Prefect ask again.
        return str(wait_for(lambda: self.post(path, {}), 60, f"a run of {deployment}")["id"])

    def state(self, run: str) -> dict[str, Any]:
        return dict(self.get(f"flow_runs/{run}")["state"])

    def ended(self, run: str, seconds: float = 240) -> dict[str, Any]:
        """The state a run ends in."""
        def final() -> dict[str, Any] | None:
            state = self.state(run)
            return state if state["type"] in ENDED else None
        return dict(wait_for(final, seconds, f"run {run} ends"))

    def stop(self) -> None:
        for process in self.started:
            kill(process)
        # Flow runs and stages lead sessions of their own.
        for process in processes_in(self.project):
            with suppress(psutil.Error):
                process.kill()


def kill(process: subprocess.Popen[bytes], number: int = signal.SIGKILL) -> None:
    """Signal a program and all that it started in its session, and wait for its end."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
    process.wait(60)


def processes_in(folder: Path, words: Sequence[str] = ()) -> list[psutil.Process]:
    """Living processes that work in `folder` and have all `words` in their command line."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            line = " ".join(process.cmdline())
            if process.cwd() == str(folder) and all(word in line for word in words) \
                    and process.status() != psutil.STATUS_ZOMBIE and process.pid != os.getpid():
                found.append(process)
    return found


@contextmanager
def prefect(project: Path, home: Path, **extra: str) -> Iterator[Prefect]:
    """A Prefect server on a free port; it and all that it started are gone afterwards."""
    services = Prefect(project, home, **extra)
    try:
        services.server()
        yield services
    finally:
        services.stop()
