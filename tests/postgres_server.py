"""A real PostgreSQL for tests, on a free port, in a folder of its own."""

import os
import signal
import subprocess
from pathlib import Path

import psutil
from services import ROOT, free_port

DATABASES = ROOT / "docs" / "production" / "databases.sh"


class Postgres:
    """A PostgreSQL with the databases that databases.sh makes."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.data = folder / "data"
        folder.chmod(0o777)
        self._call("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust")
        self.start()
        subprocess.run(["sh", str(DATABASES)], check=True, env={
            **os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(self.port),
            "PREFECT_DB_PASSWORD": "p1", "MLFLOW_DB_PASSWORD": "m1"})

    def start(self) -> None:
        self._call("pg_ctl", "-D", str(self.data), "-l", str(self.folder / "log"), "-w", "-o",
                   f"-p {self.port} -k {self.folder} -h 127.0.0.1", "start")

    def send(self, number: signal.Signals) -> None:
        """Signal the server and what it started, SIGSTOP or SIGCONT."""
        first = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
        for process in [first, *first.children(recursive=True)]:
            process.send_signal(number)

    def address(self, driver: str, name: str) -> str:
        return f"postgresql+{driver}://{name}:{name[0]}1@127.0.0.1:{self.port}/{name}"

    def rows(self, database: str, question: str) -> list[str]:
        return subprocess.run(
            ["psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database,
             "-tAc", question], check=True, capture_output=True, text=True).stdout.split("\n")[:-1]

    def stop(self) -> None:
        self._call("pg_ctl", "-D", str(self.data), "-m", "immediate", "stop")

    def _call(self, *command: str) -> None:
        # PostgreSQL does not run as root.
        prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run([*prefix, *command], check=True, cwd="/", stdout=subprocess.DEVNULL)
