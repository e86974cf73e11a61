"""A Dask scheduler and workers of one thread each, as real processes of this machine."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

SOURCES = Path(__file__).parents[2]
PATIENCE = 60.0
_QUIET = {"DASK_DISTRIBUTED__WORKER__DAEMON": "False", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class OwnCluster:
    """address: of the scheduler, and its process. log: what its workers say."""

    address: str
    log: Path
    scheduler: int


@contextmanager
def own_cluster(folder: Path, workers: int, *paths: Path) -> Iterator[OwnCluster]:
    """One that is there within the block; its files are in `folder`. paths: of modules that the
    workers must find beside hdm. 0 workers: a scheduler alone."""
    port = _free_port()
    address, log = f"tcp://127.0.0.1:{port}", folder / "workers.log"
    environment = {**os.environ, **_QUIET,
                   "PYTHONPATH": os.pathsep.join(map(str, (SOURCES, *paths)))}
    commands = {folder / "scheduler.log": ["scheduler", "--host", "127.0.0.1", "--port", str(port)]}
    if workers:
        commands[log] = ["worker", address, "--nthreads", "1", "--nworkers", str(workers),
                         "--local-directory", str(folder / "scratch")]
    folder.mkdir(parents=True, exist_ok=True)
    started: list[subprocess.Popen[bytes]] = []
    try:
        for file, command in commands.items():
            with file.open("wb") as output:
                started.append(subprocess.Popen(
                    [sys.executable, "-m", "dask", *command, "--no-dashboard"], cwd=folder,
                    env=environment, stdout=output, stderr=output))
        _wait(log, port, workers)
        yield OwnCluster(address, log, started[0].pid)
    finally:
        for process in reversed(started):
            _end(process)


def _wait(log: Path, port: int, workers: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            if not workers or log.read_bytes().count(b"Registered to") >= workers:
                return
        time.sleep(0.2)
    raise TimeoutError(f"no Dask cluster within {PATIENCE:g} s; see {log.parent}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """With all that it started."""
    with suppress(psutil.NoSuchProcess):
        for one in [*psutil.Process(process.pid).children(recursive=True), process]:
            with suppress(psutil.NoSuchProcess):
                one.kill()
    process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
