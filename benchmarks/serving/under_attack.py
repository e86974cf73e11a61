"""What a normal client notices of 450 that are idle, slow or hostile.

    python -m benchmarks.serving.under_attack brushed_plate

Run in a project whose line has a live model; nothing of it is changed. `hdm serve` runs with its
usual limits and a key. Measured are one client that sends one image after the other, and `/healthz`
ten times a second: alone, beside the crowd at another address, and beside it at the same one.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil

from benchmarks.serving.__main__ import machine
from benchmarks.serving.served_line import environment, image_files, registered_twice, serving
from hdm.files import write_json, write_text
from hdm.line import Line

KEY = "HDM_KEY"
PLACES = {"alone": "", "crowd at another address": "127.0.0.2",
          "crowd at the same address": "127.0.0.1"}
HEALTH, TIMES = 0.5, 2.0
"""Seconds within which health must answer, and how much slower the median may become."""


def main() -> int:
    """Run everything and write under_attack.json and under_attack.md; 1 if a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("line")
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    chosen = parser.parse_args()
    os.environ[KEY] = "a key of the benchmark"
    found: dict[str, Any] = {"line": chosen.line, "seconds": chosen.seconds, "machine": machine()}
    with tempfile.TemporaryDirectory(prefix="hdm-benchmark-") as scratch:
        line = registered_twice(Line.load(chosen.line), Path(scratch))
        with serving(line, "torch", "--api-key-env", KEY) as address:
            images = image_files(line)
            asyncio.run(watched(address, line.name, images, 5))  # connections, memory that grows
            found["places"] = {place: beside(source, address, line.name, images, chosen.seconds)
                               for place, source in PLACES.items()}
    alone = found["places"]["alone"]
    for figures in found["places"].values():
        figures["p50_ratio"] = figures["p50_ms"] / alone["p50_ms"]
    found["load_after"] = os.getloadavg()[0]
    write_json(chosen.output / "under_attack.json", found)
    write_text(chosen.output / "under_attack.md", rendered(found))
    print(rendered(found))
    return int(any(figures["health_max_ms"] > 1000 * HEALTH or figures["p50_ratio"] > TIMES
                   or figures["failed"] for figures in found["places"].values()))


def beside(source: str, address: str, line: str, images: list[bytes], seconds: float
           ) -> dict[str, Any]:
    """Figures of one client beside the crowd at `source`; "" for none."""
    if not source:
        return asyncio.run(watched(address, line, images, seconds))
    port = address.rpartition(":")[2]
    crowd = subprocess.Popen([sys.executable, "-m", "benchmarks.serving.hostile_crowd", port, line,
                              str(seconds + 8), source], env=environment(), text=True,
                             stdout=subprocess.PIPE)
    time.sleep(4)
    found = asyncio.run(watched(address, line, images, seconds))
    return {**found, "crowd": json.loads(crowd.communicate(timeout=60)[0])}


async def watched(address: str, line: str, images: list[bytes], seconds: float) -> dict[str, Any]:
    """One normal client, and one that asks for health over a new connection each time."""
    latencies: list[float] = []
    health: list[float] = []
    failed: list[str] = []
    process = server_at(int(address.rpartition(":")[2]))
    most, end = 0, time.monotonic() + seconds

    async def normal() -> None:
        headers = {"X-API-Key": os.environ[KEY]}
        async with httpx.AsyncClient(base_url=address, timeout=60, headers=headers,
                                     transport=httpx.AsyncHTTPTransport(retries=1)) as client:
            while time.monotonic() < end:
                begun = time.monotonic()
                image = images[len(latencies) % len(images)]
                try:
                    answer = await client.post(f"/v1/{line}/predict", content=image)
                    failed.extend([str(answer.status_code)] * (answer.status_code != 200))
                except httpx.HTTPError as error:
                    failed.append(type(error).__name__)
                latencies.append(1000 * (time.monotonic() - begun))

    async def healthy() -> None:
        nonlocal most
        while time.monotonic() < end:
            begun = time.monotonic()
            try:
                async with httpx.AsyncClient(base_url=address, timeout=60) as client:
                    answer = await client.get("/healthz")
                failed.extend([f"health {answer.status_code}"] * (answer.status_code != 200))
            except httpx.HTTPError as error:
                failed.append(f"health {type(error).__name__}")
            health.append(1000 * (time.monotonic() - begun))
            most = max(most, process.num_fds())
            await asyncio.sleep(0.1)

    await asyncio.gather(normal(), healthy())
    return {"requests": len(latencies), "failed": len(failed), "failures": sorted(set(failed)),
            "p50_ms": float(np.percentile(latencies, 50)),
            "p99_ms": float(np.percentile(latencies, 99)),
            "health_p50_ms": float(np.percentile(health, 50)), "health_max_ms": max(health),
            "descriptors": most, "memory_mib": process.memory_info().rss / 2**20}


def server_at(port: int) -> psutil.Process:
    """The process of ours that listens there."""
    return next(child for child in psutil.Process().children(recursive=True)
                for one in child.net_connections("tcp")
                if one.status == psutil.CONN_LISTEN and one.laddr.port == port)


def rendered(found: dict[str, Any]) -> str:
    """Markdown."""
    rows = [f"Line `{found['line']}`, {found['machine']['cores']} core(s) for server, crowd and "
            f"clients, load average {found['machine']['load']:.1f} before and "
            f"{found['load_after']:.1f} after; {found['seconds']:g} s each. The crowd is 200 idle, "
            "200 slow and 50 hostile connections, each made again when it is closed.", "",
            "| | requests, failed | p50 ms | to alone | p99 ms | health p50, most ms | descriptors "
            "| memory MiB | connections made |", "|---|---|---|---|---|---|---|---|---|"]
    for place, figures in found["places"].items():
        made = sum(figures.get("crowd", {}).values())
        rows.append(f"| {place} | {figures['requests']}, {figures['failed']} | "
                    f"{figures['p50_ms']:.1f} | {figures['p50_ratio']:.2f} | "
                    f"{figures['p99_ms']:.1f} | {figures['health_p50_ms']:.1f}, "
                    f"{figures['health_max_ms']:.0f} | {figures['descriptors']} | "
                    f"{figures['memory_mib']:.0f} | {made or '–'} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.exit(main())
