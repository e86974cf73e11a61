"""Prefect's server and its database, waited for: who is new to them gives up at a first refusal."""

import os
import time

import httpx

PATIENCE = 240.0
"""Seconds that a run waits for the server before it begins."""


def wait_for_server(patience: float = PATIENCE, pause: float = 2.0) -> bool:
    """Wait until the server named in PREFECT_API_URL is ready; whether it was in time."""
    address = os.environ.get("PREFECT_API_URL", "")
    deadline = time.monotonic() + patience
    while address:
        try:
            if httpx.get(f"{address.rstrip('/')}/ready", timeout=10).status_code < 500:
                return True
        except httpx.TransportError:
            pass
        if time.monotonic() > deadline:
            print(f"error: the Prefect server at {address} did not answer within {patience:.0f} "
                  "seconds; start it, then ask for the run again.")
            return False
        time.sleep(pause)
    return True
