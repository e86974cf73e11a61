"""Work that the workers of a test do."""

import os
import signal
import time
from pathlib import Path

from hdm.errors import DataError


def squares(given, items):
    """given: seconds an item takes, and a folder in which each worker leaves its number."""
    seconds, folder = given
    for item in items:
        Path(folder, str(os.getpid())).touch()
        time.sleep(seconds)
        yield item * item


def refuses(given, items):
    for item in items:
        if item == given:
            raise DataError(f"{item} is not wanted.")
        yield item


def dies(given, items):
    for item in items:
        if item == given:
            os.kill(os.getpid(), signal.SIGKILL)
        yield item
