"""`python -m benchmarks.resilience.soak --minutes 30`: a server that judges, a line that is trained
again and again, and looks for drift, all at once; is memory flat, and the number of open files?

A process leaks if, after the first fifth, a straight line through its memory rises by more than
RISE, or through its open files by more than FILES, in the time that is left.
"""

import argparse
import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from plant import LINE, environment, make_plant, override
from services import free_port, wait_for

RISE, FILES = 0.1, 5.0
LOOK = 2.0
WARM = 0.2


class Soak:
    """A plant in service."""

    def __init__(self, folder: Path) -> None:
        self.project = make_plant(folder, LINE)
        self.over = threading.Event()
        self.port = free_port()
        self.counts: dict[str, int] = {}
        self.failures: list[str] = []
        self.children: list[int] = []
        self.pictures = [file.read_bytes() for file in
                         sorted((folder / "camera" / "train" / "good").glob("*.png"))]
        assert self.call("dvc", "repro", f"register@{LINE}") == 0, self.failures

    def call(self, *words: str) -> int:
        """One command to its end."""
        done = subprocess.run(words, cwd=self.project, text=True, env=environment(),
                              capture_output=True)
        name = " ".join(words)
        self.counts[name] = self.counts.get(name, 0) + 1
        if done.returncode:
            self.failures.append(f"{name}: {done.stdout[-300:]}{done.stderr[-300:]}")
        return done.returncode

    def retrain(self) -> None:
        """Each time with another operating point, so that there is something to do."""
        for number in itertools.count():
            if self.over.is_set():
                return
            override(self.project, LINE, evaluate={
                "bootstrap": 5, "sheet_images": 4,
                "operating_point": {"false_alarm_rate": 0.05 + 0.01 * (number % 20)}})
            self.call("dvc", "repro", f"register@{LINE}")

    def monitor(self) -> None:
        while not self.over.wait(5):
            self.call("python", "-m", "hdm", "monitor", LINE)

    def judge(self) -> None:
        """Pictures without end, and what is asked beside them; the odd one is none."""
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=120) as client:
            for number in itertools.count():
                if self.over.is_set():
                    return
                picture = b"no picture" if number % 50 == 49 else \
                    self.pictures[number % len(self.pictures)]
                answer = client.post(f"/v1/{LINE}/predict", files={"files": ("a.png", picture)})
                wanted = 422 if number % 50 == 49 else 200
                if answer.status_code != wanted:
                    self.failures.append(f"picture {number}: {answer.status_code} {answer.text}")
                client.get("/metrics")
                self.counts["pictures"] = self.counts.get("pictures", 0) + 1
                self.over.wait(0.2)

    def run(self, minutes: float) -> dict[str, Any]:
        """What was done, and what the server needed meanwhile."""
        server = subprocess.Popen(
            [sys.executable, "-m", "hdm", "serve", LINE, "--port", str(self.port), "--poll", "2"],
            cwd=self.project, env=environment(), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        wait_for(lambda: httpx.get(f"http://127.0.0.1:{self.port}/readyz").status_code == 200
                 if _listens(self.port) else False, 300, "the server is ready")
        threads = [threading.Thread(target=work) for work in (
            self.retrain, self.monitor, self.judge)]
        for thread in threads:
            thread.start()
        rows, end = [], time.monotonic() + 60 * minutes
        while time.monotonic() < end and server.poll() is None:
            rows.append((time.monotonic(), *_needs(psutil.Process(server.pid))))
            time.sleep(LOOK)
        died = server.poll()
        self.over.set()
        for thread in threads:
            thread.join()
        server.terminate()
        return {"minutes": minutes, "did": self.counts, "failures": self.failures[:20],
                "server ended": died, "memory": _trend([row[:2] for row in rows], 1e6),
                "files": _trend([(row[0], row[2]) for row in rows], 1.0),
                "processes": _trend([(row[0], row[3]) for row in rows], 1.0),
                "left behind": self.left_behind(server.pid)}

    def left_behind(self, server: int) -> list[str]:
        """Temporary files, and processes that should have ended."""
        files = [str(file.relative_to(self.project)) for file in self.project.rglob("*")
                 if file.suffix in (".tmp", ".old")]
        alive = [" ".join(one.cmdline()) for one in psutil.Process().children(recursive=True)
                 if one.pid != server and one.status() != psutil.STATUS_ZOMBIE]
        return files + alive


def _listens(port: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5)
    except httpx.TransportError:
        return False
    return True


def _needs(process: psutil.Process) -> tuple[float, float, float]:
    """Bytes of memory that are its own, open files and sockets, and processes, with children."""
    memory, files, living = 0.0, 0.0, 0.0
    for one in [process, *process.children(recursive=True)]:
        try:
            memory += one.memory_full_info().uss
            files += one.num_fds()
            living += 1
        except psutil.Error:
            continue
    return memory, files, living


def _trend(points: Sequence[tuple[float, float]], unit: float) -> dict[str, float]:
    """First and last level after the warm-up, and how much a straight line rises between."""
    kept = np.array(points[int(WARM * len(points)):])
    slope, start = np.polyfit(kept[:, 0] - kept[0, 0], kept[:, 1], 1)
    return {"level": round(float(start) / unit, 1), "highest": round(kept[:, 1].max() / unit, 1),
            "rise": round(float(slope * (kept[-1, 0] - kept[0, 0])) / unit, 1)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/hdm-soak"))
    parser.add_argument("--output", type=Path,
                        default=Path(__file__).parent / "results" / "soak.json")
    chosen = parser.parse_args()
    found = Soak(chosen.folder).run(chosen.minutes)
    flat = found["memory"]["rise"] <= RISE * found["memory"]["level"] \
        and found["files"]["rise"] <= FILES
    found["flat"] = flat
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))
    return int(not flat or bool(found["failures"]) or found["server ended"] is not None)


if __name__ == "__main__":
    sys.exit(main())
