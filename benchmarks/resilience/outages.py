"""`python -m benchmarks.resilience.outages`: Prefect's server, MLflow's, or the PostgreSQL behind
both is away while a line is retrained: before its first stage, during each, and at its end.

Each run is asked for through a worker. The servers are held (SIGSTOP) or killed and started again;
a run must end by itself as Promoted, and everything must be as after a run without outages.
`--toy` does it with stages that only act (without MLflow), in minutes.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from plant import LINE, make_plant
from postgres_server import Postgres
from services import ENDED, Prefect, free_port, kill, processes_in, wait_for
from toy import calls, make_deployable, make_project

from .line_state import differences, state

TOY = "good"
WAYS = ("held", "killed")
SERVERS = ("prefect", "mlflow", "both", "postgresql")
LIMIT = 3600.0


class Factory:
    """A plant with its servers and a worker, in a folder of its own."""

    def __init__(self, folder: Path, *, toy: bool, database: Postgres | None = None) -> None:
        self.root, self.port, self.line = folder, free_port(), TOY if toy else LINE
        self.database = database
        kept = {} if database is None else {
            "PREFECT_API_DATABASE_CONNECTION_URL": database.address("asyncpg", "prefect")}
        project = make_deployable(make_project(folder / "plant")) if toy else \
            make_plant(folder, LINE)
        self.services = Prefect(
            project, folder / "home", MLFLOW_TRACKING_URI=f"http://127.0.0.1:{self.port}",
            MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false", HDM_ACTOR="bench", **kept)
        self.running = {"prefect": self.services.server()}
        if not toy:
            self.running["mlflow"] = self.mlflow()
        self.services.call("python", "-m", "hdm", "deployments", "apply")
        self.services.worker()

    def mlflow(self) -> Any:
        store = f"sqlite:///{self.root}/mlflow.db" if self.database is None else \
            self.database.address("psycopg2", "mlflow")
        process = self.services.start(
            "mlflow", "server", "--backend-store-uri", store,
            "--artifacts-destination", str(self.root / "artifacts"), "--host", "127.0.0.1",
            "--port", str(self.port), "--workers", "1", log="mlflow.log")
        wait_for(lambda: urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5),
                 240, "MLflow answers")
        return process

    def outage(self, servers: str, way: str, seconds: float) -> None:
        """The servers do not answer for so long."""
        if servers == "postgresql":
            self._database_away(way, seconds)
            return
        start: dict[str, Callable[[], Any]] = {"prefect": self.services.server,
                                               "mlflow": self.mlflow}
        names = list(start) if servers == "both" else [servers]
        for name in names:
            if way == "held":
                os.killpg(self.running[name].pid, signal.SIGSTOP)
            else:
                kill(self.running[name])
        time.sleep(seconds)
        for name in names:
            if way == "held":
                os.killpg(self.running[name].pid, signal.SIGCONT)
            else:
                self.running[name] = start[name]()

    def _database_away(self, way: str, seconds: float) -> None:
        assert self.database is not None
        if way == "held":
            self.database.send(signal.SIGSTOP)
        else:
            self.database.stop()
        time.sleep(seconds)
        if way == "held":
            self.database.send(signal.SIGCONT)
        else:
            self.database.start()

    def retrain(self, servers: str = "", way: str = "", seconds: float = 0,
                during: Sequence[str] = ()) -> dict[str, Any]:
        """One run, with outages where servers are named: the state it ends in, and which stages
        were under way at the outages."""
        begun = time.monotonic()
        run = self.services.request(f"hdm-retrain/{self.line}")
        met: list[str] = []
        wait_for(lambda: self.services.state(run)["type"] != "SCHEDULED", 300, "it is taken")
        if servers and (not during or "beginning" in during):
            self.outage(servers, way, seconds)
            met.append("beginning")
        while time.monotonic() < begun + LIMIT:
            stage = self.under_way()
            if servers and stage and stage not in met and (not during or stage in during):
                met.append(stage)
                self.outage(servers, way, seconds)
                after = self.under_way()
                if after and after not in met:
                    met.append(after)
            elif found := self.ending(run):
                return {"name": found["name"], "message": found["message"], "outages": met,
                        "seconds": round(time.monotonic() - begun)}
            time.sleep(0.3)
        return {"name": "did not end", "message": "", "outages": met, "seconds": LIMIT}

    def ending(self, run: str) -> dict[str, Any]:
        """The state that a run ended in, empty before; a crash may be followed by another try."""
        found = self.services.state(run)
        if found["type"] == "CRASHED":
            time.sleep(30)
            found = self.services.state(run)
        return found if found["type"] in ENDED else {}

    def under_way(self) -> str:
        """The stage that DVC runs now; '' if none."""
        for process in processes_in(self.services.project, ["repro", f"@{self.line}"]):
            return process.cmdline()[-1].split("@")[0]
        return ""


def trial(folder: Path, chosen: argparse.Namespace, servers: str = "", way: str = "",
          ) -> tuple[dict[str, Any], dict[str, Any]]:
    """How a run ended in a new factory, and what the line is then."""
    with contextlib.ExitStack() as stack:
        database = None
        if servers == "postgresql":
            # Its socket's path must be short, and its user must reach it.
            short = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
            database = Postgres(Path(short))
            stack.callback(database.stop)
        factory = Factory(folder, toy=chosen.toy, database=database)
        stack.callback(factory.services.stop)
        ending = factory.retrain(servers, way, chosen.seconds, chosen.during)
        project = factory.services.project
        return ending, {"ran": calls(project)} if chosen.toy else state(folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--servers", nargs="*", default=SERVERS, choices=SERVERS)
    parser.add_argument("--ways", nargs="*", default=WAYS, choices=WAYS)
    parser.add_argument("--during", nargs="*", default=[], help="stages, or `beginning`; all")
    parser.add_argument("--toy", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/hdm-outages"))
    parser.add_argument("--output", type=Path,
                        default=Path(__file__).parent / "results" / "outages.json")
    chosen = parser.parse_args()
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(chosen.folder, ignore_errors=True)
    calm, wanted = trial(chosen.folder / "calm", chosen)
    print("calm", calm, flush=True)
    rows, bad = [{"servers": "", "way": "", **calm}], 0
    for servers in chosen.servers:
        for way in chosen.ways:
            ending, found = trial(chosen.folder / f"{servers}-{way}", chosen, servers,
                                   way)
            wrong = differences(found, wanted)
            bad += bool(wrong) or ending["name"] != calm["name"]
            rows.append({"servers": servers, "way": way, **ending, "differences": wrong})
            print(json.dumps(rows[-1]), flush=True)
            chosen.output.write_text(json.dumps(rows, indent=2) + "\n")
    print(f"{len(rows) - 1} runs with outages of {chosen.seconds:.0f} s, {bad} ended wrongly")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
