"""What serving costs: `hdm serve` under load beside a plain loop over the same model and images.

    python -m benchmarks.serving brushed_plate

Measures requests a second and their latency with 1, 8 and 64 at once, with torch and with ONNX
Runtime, each as a ratio to the loop of the same run; then moves the champion's alias back and forth
under 200 requests at once and counts what failed. Nothing of the project is changed: the line's
live detector is registered twice in a scratch store. The load generator runs on the same machine.
"""

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.serving.served_line import environment, image_files, registered_twice, serving
from hdm.files import write_json, write_text
from hdm.line import Line
from hdm.registry.address import tracking_uri
from hdm.registry.mlflow_client import connect

AT_ONCE = (1, 8, 64)
CROWD = 200
PATIENCE = 600.0
MOVES = 2
CHAMPION = "champion"


def main() -> None:
    """Run everything and write serving.json and serving.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("line")
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement")
    parser.add_argument("--backends", nargs="+", default=["torch", "onnx"])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hdm-benchmark-") as scratch:
        line = registered_twice(Line.load(chosen.line), Path(scratch))
        images = image_files(line)
        found: dict[str, Any] = {
            "line": line.name, "images": len(images), "seconds": chosen.seconds,
            "machine": machine(), "threads": line.params.compute.threads, "backends": {}}
        for backend in chosen.backends:
            print(f"{backend} ...", flush=True)
            found["backends"][backend] = measured(line, backend, images, chosen.seconds)
        found["load_after"] = os.getloadavg()[0]
    write_json(chosen.output / "serving.json", found)
    write_text(chosen.output / "serving.md", rendered(found))
    print(rendered(found))


def measured(line: Line, backend: str, images: list[bytes], seconds: float) -> dict[str, Any]:
    """All figures of one backend; the loop runs before and after the load, while nothing else of
    ours does."""
    with serving(line, backend) as address:
        before = plain_loop(line, images, seconds)
        load = {str(n): asyncio.run(loaded(address, line.name, images, n, seconds))
                for n in AT_ONCE}
        after = plain_loop(line, images, seconds)
        moves = moved(line, address, images, 2 * seconds)
    loop = {key: (before[key] + after[key]) / 2 for key in before}
    for figures in load.values():
        figures["throughput_ratio"] = figures["images_a_second"] / loop["images_a_second"]
        figures["p50_ratio"] = figures["p50_ms"] / loop["p50_ms"]
    return {"loop": loop, "load": load, "moves": moves}


def plain_loop(line: Line, images: list[bytes], seconds: float) -> dict[str, float]:
    """One image after the other: decode, predict. In a process of its own, as a script would."""
    command = [sys.executable, "-m", "benchmarks.serving.request_loop", line.name, str(seconds)]
    with tempfile.TemporaryDirectory() as folder:
        for number, image in enumerate(images):
            (Path(folder) / f"{number:03}").write_bytes(image)
        done = subprocess.run([*command, folder], cwd=line.project, capture_output=True, text=True,
                              env=environment(), check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


async def loaded(address: str, line: str, images: list[bytes], at_once: int, seconds: float,
                 until: Callable[[], bool] = lambda: True) -> dict[str, Any]:
    """`at_once` clients, each sending one image after the other for some time, and `until`."""
    latencies: list[float] = []
    failures: Counter[str] = Counter()
    versions: Counter[str] = Counter()
    # A client each, as httpx's pool of many connections costs more than the server does.
    clients = [httpx.AsyncClient(base_url=address, timeout=60, verify=False)
               for _ in range(at_once)]
    async with AsyncExitStack() as stack:
        for client in clients:
            await stack.enter_async_context(client)

        async def user(number: int, end: float) -> None:
            client = clients[number]
            while time.monotonic() < end or not until():
                begun = time.monotonic()
                try:
                    answer = await client.post(f"/v1/{line}/predict",
                                               content=images[number % len(images)])
                    if answer.status_code == 200:
                        versions[answer.json()["model_version"]] += 1
                    else:
                        failures[str(answer.status_code)] += 1
                except httpx.HTTPError as error:
                    failures[type(error).__name__] += 1
                latencies.append(1000 * (time.monotonic() - begun))
                number += at_once

        async def all_users(length: float) -> float:
            begun = time.monotonic()
            await asyncio.gather(*(user(n, begun + length) for n in range(at_once)))
            return time.monotonic() - begun

        if at_once != CROWD:
            await all_users(min(2.0, seconds))  # connections, and memory that grows once
            latencies.clear()
        took = await all_users(seconds)
    return {"requests": len(latencies), "failed": sum(failures.values()),
            "failures": dict(failures), "images_a_second": len(latencies) / took,
            "p50_ms": float(np.percentile(latencies, 50)),
            "p99_ms": float(np.percentile(latencies, 99)), "versions": dict(versions)}


def moved(line: Line, address: str, images: list[bytes], seconds: float) -> dict[str, Any]:
    """The alias goes back and forth between two versions under a crowd of requests, each time as
    soon as the server has followed; at least to the other version and back."""
    client, moves = connect(tracking_uri(line.project)), 0
    asked = httpx.Client(base_url=address, timeout=60)
    end, latest = time.monotonic() + seconds, time.monotonic() + PATIENCE

    def move() -> None:
        nonlocal moves
        while time.monotonic() < (end if moves >= MOVES else latest):
            version = str(1 + (moves + 1) % 2)
            client.set_registered_model_alias(line.model_name, CHAMPION, version)
            while asked.get(f"/v1/{line.name}/model").json().get("version") != version:
                if time.monotonic() > latest:
                    return
                time.sleep(0.2)
            moves += 1

    async def both() -> dict[str, Any]:
        moving = asyncio.create_task(asyncio.to_thread(move))
        return await loaded(address, line.name, images, CROWD, seconds, until=moving.done)

    found = asyncio.run(both())
    return {**found, "swaps": moves}


def machine() -> dict[str, Any]:
    """What it ran on, and how busy that was before."""
    return {"processor": platform.processor() or platform.machine(), "load": os.getloadavg()[0],
            "cores": len(os.sched_getaffinity(0)), "python": platform.python_version()}


def rendered(found: dict[str, Any]) -> str:
    """Markdown."""
    cores = found["machine"]["cores"]
    rows = [f"Line `{found['line']}`, {found['images']} images, {cores} core(s) for server, "
            f"load generator and loop, load average {found['machine']['load']:.1f} before "
            f"and {found['load_after']:.1f} after; {found['seconds']:g} s each.", "",
            "| backend | at once | images/s | to the loop | p50 ms | p99 ms | failed |",
            "|---|---|---|---|---|---|---|"]
    for backend, figures in found["backends"].items():
        loop = figures["loop"]
        rows.append(f"| {backend} | plain loop, torch | {loop['images_a_second']:.1f} | 1.00 | "
                    f"{loop['p50_ms']:.1f} | {loop['p99_ms']:.1f} | – |")
        for at_once, load in figures["load"].items():
            rows.append(f"| {backend} | {at_once} | {load['images_a_second']:.1f} | "
                        f"{load['throughput_ratio']:.2f} | {load['p50_ms']:.1f} | "
                        f"{load['p99_ms']:.1f} | {load['failed']} of {load['requests']} |")
        moves = figures["moves"]
        rows.append(f"| {backend} | {CROWD}, alias moved and followed "
                    f"{moves['swaps']} times | {moves['images_a_second']:.1f} | – | "
                    f"{moves['p50_ms']:.1f} | {moves['p99_ms']:.1f} | "
                    f"{moves['failed']} of {moves['requests']} |")
    if {"torch", "onnx"} <= set(found["backends"]):
        one, two = (found["backends"][name]["load"]["1"] for name in ("torch", "onnx"))
        rows += ["", f"ONNX Runtime to torch, one at once: p50 "
                     f"{two['p50_ms'] / one['p50_ms']:.2f}, p99 "
                     f"{two['p99_ms'] / one['p99_ms']:.2f}; by the loops beside them "
                     f"{two['p50_ratio'] / one['p50_ratio']:.2f}."]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
