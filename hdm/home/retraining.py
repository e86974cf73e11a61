"""Who retrains a line when a button says so: Prefect where it has the line, else this project.

`hdm run` knows nothing of other machines. A run of Prefect's has the line alone, on whichever
machine a worker takes it up, and is seen and stopped where all the others are.
"""

import os
import re
import time

import httpx

from hdm.errors import HDMError
from hdm.home import orders
from hdm.line import Line
from hdm.orchestration.prefect_yaml import RETRAIN

PATIENCE = 5.0
"""Seconds that the server has for an answer."""
LONGEST = 60.0
"""Seconds in which `prefect` has asked for a run, and printed its number, or has failed."""
_NUMBER = re.compile(r"UUID: ([0-9a-f-]{36})")


def command(line: str) -> tuple[str, ...]:
    """What retrains the line, as typed; raises HDMError where Prefect's server does not answer."""
    deployment = f"{RETRAIN}/{line}"
    if not _server() or not _ask("GET", f"deployments/name/{deployment}").is_success:
        return "hdm", "run", line
    return "prefect", "deployment", "run", deployment, "--watch"


def stop(line: Line) -> None:
    """Ask the line's running order to end, on whichever machine it is at work.

    Raises HDMError where it is a run of Prefect's and its server does not take it.
    """
    order = orders.last(line)
    if order is None or order.words[0] != "prefect":
        orders.stop(line)
        return
    ends = time.monotonic() + LONGEST
    while order.running and time.monotonic() < ends:
        if found := _NUMBER.search(orders.printed(line)):
            _ask("POST", f"flow_runs/{found[1]}/set_state", {"state": {"type": "CANCELLING"}})
            return  # who watches sees it end
        time.sleep(0.2)
    orders.stop(line)  # it asked for no run


def _server() -> str:
    return os.environ.get("PREFECT_API_URL", "").rstrip("/")


def _ask(method: str, path: str, content: object = None) -> httpx.Response:
    try:
        answer = httpx.request(method, f"{_server()}/{path}", json=content, timeout=PATIENCE)
        if answer.is_success or answer.status_code == httpx.codes.NOT_FOUND:
            return answer
        reason = f"it answers {answer.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
    raise HDMError(f"expected the Prefect server at {_server()}, which may have this line at work, "
                   f"to answer ({reason}); start it with `prefect server start`, or correct "
                   "PREFECT_API_URL.")
