"""A flow called as a plain function: Prefect starts a temporary server for it, and what goes wrong
is one sentence.

Prepared before Prefect is imported, as its settings are fixed then.
"""

import os
import sys
from types import TracebackType

from hdm.errors import HDMError
from hdm.orchestration.prefect_yaml import CLIENT
from hdm.registry.loopback import spare_loopback

WAITS = "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"
PATIENCE = "180"
"""Seconds; Prefect's 20 are too few for a busy machine."""
NO_ANSWER = ("ephemeral Prefect API server", "Failed to reach API")


def prepare() -> None:
    """Let the server be reached behind a proxy and on a slow machine, and end a program whose flow
    failed with a sentence instead of a traceback."""
    spare_loopback()
    for name, value in {WAITS: PATIENCE, **CLIENT}.items():
        os.environ.setdefault(name, value)
    sys.excepthook = report


def sentence(error: BaseException) -> str:
    """What to do about an error that was foreseen; '' for any other."""
    from flows.stage import StageFailed

    if isinstance(error, HDMError | StageFailed):
        return str(error)
    if not isinstance(error, RuntimeError) or not any(text in str(error) for text in NO_ANSWER):
        return ""
    address = os.environ.get("PREFECT_API_URL")
    if address:
        return (f"expected a Prefect server at {address}, which does not answer; start it with "
                "`prefect server start`, or correct PREFECT_API_URL.")
    return (f"Prefect's temporary server did not answer within "
            f"{os.environ.get(WAITS, PATIENCE)} seconds; run the same again, give it longer "
            f"({WAITS}=600), or start a server with `prefect server start` and name it in "
            "PREFECT_API_URL.")


_before = sys.excepthook


def report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say the sentence about an error that nobody caught, or do what would have been done."""
    said = sentence(error)
    if said and os.environ.get("HDM_DEBUG", "") in ("", "0"):
        print(f"error: {said}", file=sys.stderr)
    else:
        _before(kind, error, trace)
