"""`python -m benchmarks.resilience.outages`: Prefect's or MLflow's server is away while a line is
retrained: before its first stage, during each, and at its end.

Each run is asked for through a worker. The servers are held (SIGSTOP) or killed and started again;
a run must end by itself as Promoted, and everything must be as after a run without outages.
"""

import argparse
import json
import os
import signal
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from plant import LINE, make_plant
from services import ENDED, Prefect, free_port, kill, processes_in, wait_for

from .line_state import differences, state

WAYS = ("held", "killed")
SERVERS = ("prefect", "mlflow", "both")
LIMIT = 3600.0


class Factory:
    """A plant with its servers and a worker, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.root, self.port = folder, free_port()
        project = make_plant(folder, LINE)
        self.services = Prefect(
            project, folder / "home", MLFLOW_TRACKING_URI=f"http://127.0.0.1:{self.port}",
            MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false", HDM_ACTOR="bench")
        self.running = {"prefect": self.services.server(), "mlflow": self.mlflow()}
        self.services.call("python", "-m", "hdm", "deployments", "apply")
        self.services.worker()

    def mlflow(self) -> Any:
        process = self.services.start(
            "mlflow", "server", "--backend-store-uri", f"sqlite:///{self.root}/mlflow.db",
            "--artifacts-destination", str(self.root / "artifacts"), "--host", "127.0.0.1",
            "--port", str(self.port), "--workers", "1", log="mlflow.log")
        wait_for(lambda: urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5),
                 240, "MLflow answers")
        return process

    def outage(self, servers: str, way: str, seconds: float) -> None:
        """The servers do not answer for so long."""
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

    def retrain(self, servers: str = "", way: str = "", seconds: float = 0) -> dict[str, Any]:
        """One run, with outages where servers are named: the state it ends in, and which stages
        were under way at the outages."""
        begun = time.monotonic()
        run = self.services.request(f"hdm-retrain/{LINE}")
        met: list[str] = []
        if servers:
            self.outage(servers, way, seconds)
            met.append("beginning")
        while time.monotonic() < begun + LIMIT:
            stage = self.under_way()
            if servers and stage and stage not in met:
                met.append(stage)
                self.outage(servers, way, seconds)
                after = self.under_way()
                if after and after not in met:
                    met.append(after)
            elif (found := self.services.state(run))["type"] in ENDED:
                return {"name": found["name"], "message": found["message"], "outages": met,
                        "seconds": round(time.monotonic() - begun)}
            time.sleep(0.3)
        return {"name": "did not end", "message": "", "outages": met, "seconds": LIMIT}

    def under_way(self) -> str:
        """The stage that DVC runs now; '' if none."""
        for process in processes_in(self.services.project, ["repro", f"@{LINE}"]):
            return process.cmdline()[-1].split("@")[0]
        return ""


def trial(folder: Path, servers: str = "", way: str = "", seconds: float = 0
          ) -> tuple[dict[str, Any], dict[str, Any]]:
    """How a run ended in a new factory, and what the line is then."""
    factory = Factory(folder)
    try:
        ending = factory.retrain(servers, way, seconds)
        return ending, state(folder)
    finally:
        factory.services.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--servers", nargs="*", default=SERVERS, choices=SERVERS)
    parser.add_argument("--ways", nargs="*", default=WAYS, choices=WAYS)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/hdm-outages"))
    parser.add_argument("--output", type=Path,
                        default=Path(__file__).parent / "results" / "outages.json")
    chosen = parser.parse_args()
    calm, wanted = trial(chosen.folder / "calm")
    print("calm", calm, flush=True)
    rows, bad = [{"servers": "", "way": "", **calm}], 0
    for servers in chosen.servers:
        for way in chosen.ways:
            ending, found = trial(chosen.folder / f"{servers}-{way}", servers, way, chosen.seconds)
            wrong = differences(found, wanted)
            bad += bool(wrong) or ending["name"] != calm["name"]
            rows.append({"servers": servers, "way": way, **ending, "differences": wrong})
            print(json.dumps(rows[-1]), flush=True)
            chosen.output.write_text(json.dumps(rows, indent=2) + "\n")
    print(f"{len(rows) - 1} runs with outages of {chosen.seconds:.0f} s, {bad} ended wrongly")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
