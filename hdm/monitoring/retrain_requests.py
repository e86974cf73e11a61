"""Retrainings that alarms asked for: an append-only file, and the time between two of them."""

import json
import os
from pathlib import Path
from typing import Any

from filelock import FileLock

from hdm.files import cannot_write

FILE = "requests.jsonl"
_HOUR = 3_600.0


def ask(folder: Path, model: str, reason: str, cooldown_hours: float, now: float) -> float:
    """Ask for a retraining, unless one was asked for within the cool-down.

    Returns 0 if this one may go ahead, which is then in the file; otherwise the seconds to wait.
    However many looks see an alarm, and at once, one of them goes ahead. Raises HDMError if the
    file cannot be written to: then nothing goes ahead.
    """
    file = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f".{FILE}.lock"):
            if earlier := read(folder):
                since = now - earlier[-1]["time"]
                if since < 0:
                    # The clock was put back. That time counts as now; noted, so that the wait
                    # is not as long as the jump.
                    _append(file, {"time": now, "kind": "clock"})
                    since = 0
                if since < cooldown_hours * _HOUR:
                    return cooldown_hours * _HOUR - since
            _append(file, {"time": now, "kind": "request", "model": model, "reason": reason})
    except OSError as error:
        raise cannot_write(file, error) from error
    return 0.0


def read(folder: Path) -> list[dict[str, Any]]:
    """The entries in their order; a line that was cut off by a crash is passed over."""
    file = folder / FILE
    if not file.is_file():
        return []
    found = []
    for text in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(text)
            found.append({**entry, "time": float(entry["time"])})
        except (ValueError, TypeError, KeyError):
            continue
    return found


def _append(file: Path, entry: dict[str, Any]) -> None:
    # The newline comes first, so that what a crash cut off does not spoil this entry.
    text = "\n" + json.dumps(entry, ensure_ascii=False, sort_keys=True)
    with file.open("a", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
