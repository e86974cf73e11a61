"""Entries on their way to MLflow: sent in their order, and kept while it does not answer."""

import logging
import time
from collections import deque
from typing import Any

from hdm.registry.mlflow_client import first_line
from hdm.registry.passing import worth_retrying

LOG = logging.getLogger("hdm.registry")
RETRY_SECONDS = 30.0
"""Between two attempts while a stage computes, so as not to slow it down."""
PATIENCE = 120.0
"""Seconds that a stage which is done waits for a server that is away."""
PAUSE = 2.0


class Outbox:
    """Calls of MLflow's client; no method ever raises."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self._waiting: deque[tuple[str, tuple[Any, ...], dict[str, Any]]] = deque()
        self._silent_until = 0.0
        self._warned = False

    def put(self, call: str, *args: Any, **kwargs: Any) -> None:
        """Send it behind what waits. What is refused is left out; while the server is away,
        everything waits."""
        self._waiting.append((call, args, kwargs))
        if time.monotonic() >= self._silent_until:
            self._deliver()

    def end(self, *, patient: bool) -> None:
        """Send what waits: `patient` for PATIENCE seconds, otherwise in one attempt."""
        deadline = time.monotonic() + (PATIENCE if patient else 0.0)
        while not self._deliver():
            if time.monotonic() >= deadline:
                LOG.warning("MLflow did not answer to the end: this run's record has gaps.")
                return
            time.sleep(PAUSE)

    def _deliver(self) -> bool:
        """Whether nothing waits any more."""
        while self._waiting:
            call, args, kwargs = self._waiting[0]
            try:
                getattr(self.client, call)(*args, **kwargs)
            except Exception as error:
                self._warn(error)
                if worth_retrying(str(error)):
                    self._silent_until = time.monotonic() + RETRY_SECONDS
                    return False
            self._waiting.popleft()
        return True

    def _warn(self, error: Exception) -> None:
        if not self._warned:
            LOG.warning("MLflow does not take entries (%s); computing goes on. What cannot be sent "
                        "later will be missing in this run's record.", first_line(error))
        self._warned = True
