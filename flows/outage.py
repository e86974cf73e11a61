"""What keeps a run going while Prefect's server is away: restarted, hung, or out of the net.

Prefect's client asks again and again once it has been answered (for how long is CLIENT in
hdm/orchestration/prefect_yaml.py); a new client gives up at once. So what needs one is done in
a task of its own, which Prefect tries again, and a worker and the process it starts wait for the
server before Prefect looks up the run (hdm/orchestration/prefect_worker.py, flows/start.py).
"""

from collections.abc import Callable
from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

DELAYS: list[float] = [2, 5, 10, 20, 40, 80]
"""Seconds between the attempts; together longer than a restart takes."""


@task(name="tell-prefect", task_run_name="{what}", cache_policy=NO_CACHE, retries=len(DELAYS),
      retry_delay_seconds=DELAYS)
def _attempt(what: str, call: Callable[[], Any]) -> None:
    call()


def tell(what: str, call: Callable[[], Any]) -> bool:
    """Do what speaks with the server, again if need be; False, with a warning, if it never could.

    For what a run can do without: it is not worth the result.
    """
    state = _attempt(what, call, return_state=True)
    if not state.is_completed():
        get_run_logger().warning("%s was left out: Prefect's server did not take it within %d "
                                 "seconds.", what.capitalize(), sum(DELAYS))
    return bool(state.is_completed())
