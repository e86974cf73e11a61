"""The append-only log of a line: every decision about its models, and who made it."""

import getpass
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from hdm.errors import HDMError
from hdm.files import append_text, cannot_write
from hdm.line import Line
from hdm.registry.address import tracking_uri
from hdm.registry.ledger import lock_folder
from hdm.registry.store import identify


def decisions_file(line: Line) -> Path:
    """data/<line>/decisions.jsonl: one JSON object a line, oldest first; never rewritten."""
    return line.folder / "decisions.jsonl"


def note(line: Line, action: str, version: str, why: str, **details: Any) -> dict[str, Any]:
    """Append one entry and return it.

    action: promote, hold, refuse, approve, rollback or delete; operating point, of no version. The
    entry names the store that the version is in, if that answers. Raises HDMError if the file
    cannot be written.
    """
    entry = {"time": now(), "action": action, "line": line.name, "version": version,
             "by": person(), "why": why, **_store(line), **details}
    file = decisions_file(line)
    try:
        with FileLock(lock_folder(line.project) / f"decisions-{line.name}.lock", timeout=60):
            append_text(file, json.dumps(entry, ensure_ascii=False) + "\n")
    except OSError as error:  # of the lock
        raise cannot_write(file, error) from error
    return entry


def noted(line: Line) -> list[dict[str, Any]]:
    """All entries, oldest first; a last one that was cut off by a crash is left out."""
    try:
        text = decisions_file(line).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    entries = []
    for row in text.splitlines():
        try:
            entries.append(json.loads(row))
        except json.JSONDecodeError:
            continue
    return entries


def _store(line: Line) -> dict[str, str]:
    """Numbers begin again in a new store, so a version is told by its store as well."""
    try:
        found = identify(tracking_uri(line.project), line.name)
    except HDMError:
        return {}
    return {"store": found.key} if found else {}


def now() -> str:
    """UTC to the millisecond, as in 2026-01-31T08:00:00.000+00:00."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def person() -> str:
    """Who acts: HDM_ACTOR if set (a service can name the person behind it), else the user."""
    try:
        return os.environ.get("HDM_ACTOR") or getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
