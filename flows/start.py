"""`python -m flows.start`: what a worker starts; Prefect's engine, once the server answers.

What it prints goes to its worker. Where that was killed, the run goes on unheard.
"""

import os
import runpy
import sys
from typing import Any, TextIO

from hdm.orchestration.prefect_wait import wait_for_server


class Unheard:
    """A stream that falls silent, also for what is started later, once nobody reads it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """As the stream's; never fails for want of a reader."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._to_nobody()
            return len(text)

    def flush(self) -> None:
        """As the stream's; never fails for want of a reader."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._to_nobody()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _to_nobody(self) -> None:
        nobody = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nobody, self._stream.fileno())
        os.close(nobody)


if __name__ == "__main__":
    sys.stdout, sys.stderr = Unheard(sys.stdout), Unheard(sys.stderr)  # type: ignore[assignment]
    wait_for_server()  # where it does not, the engine says so in its own way
    sys.argv = sys.argv[:1]
    runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)
