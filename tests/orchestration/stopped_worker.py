"""`python stopped_worker.py once|twice`: a worker with a run under way that is told to stop.

A process of its own, as a second signal really ends it.
"""

import asyncio
import signal
import sys

import anyio

from hdm.orchestration.prefect_worker import PatientWorker
from hdm.orchestration.prefect_yaml import POOL


async def poll(twice: bool) -> None:
    async with PatientWorker(POOL) as worker:
        worker._under_way = 1
        signal.raise_signal(signal.SIGTERM)
        await anyio.sleep(0.1)
        assert await worker.get_and_submit_flow_runs() == []
        print("nothing begins", flush=True)
        if twice:
            signal.raise_signal(signal.SIGINT)
            await anyio.sleep(30)
            return
        worker._under_way = 0
        try:
            await worker.get_and_submit_flow_runs()
        except asyncio.CancelledError:
            print("ends with its last run", flush=True)


if __name__ == "__main__":
    before = signal.getsignal(signal.SIGINT)
    anyio.run(poll, sys.argv[1] == "twice")
    assert signal.getsignal(signal.SIGINT) is before
