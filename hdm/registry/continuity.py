"""Whether the registry is the one that the line's decision log speaks of.

A database that was lost or restored from a backup knows less than the log: which version serves
may then be another one than the aliases say, and nothing may be deleted on their word alone.
"""

from datetime import UTC, datetime
from typing import Any

from hdm.line import Line
from hdm.registry.address import tracking_uri
from hdm.registry.decision_log import noted
from hdm.registry.history import services
from hdm.registry.store import Store, identify

SERVICE = ("promote", "approve", "rollback")


def unfitting(client: Any, line: Line) -> str:
    """What the log tells and the registry does not know, in one sentence; '' where all fits.

    A registry that knows more is no contradiction: another machine may use it, too.
    """
    store = identify(tracking_uri(line.project), line.name)
    if store is None:
        return ""
    entries = _told(line, store)
    starts = [n for n, entry in enumerate(entries) if entry["action"] in SERVICE]
    last = starts[-1] if starts else 0
    deleted = {entry["version"] for entry in entries if entry["action"] == "delete"}
    served = services(client, line.model_name)
    if starts and entries[last]["version"] not in deleted:
        live, time = entries[last]["version"], entries[last]["time"]
        # A mark in the registry is made right before the entry in the log.
        known = served and (served[-1].since > time or served[-1].version == live)
        if not known:
            return _sentence(line, f"version {live} went into service at {time}")
    versions = client.search_model_versions(f"name = '{line.model_name}'")
    newest = max((int(version.version) for version in versions), default=0)
    # What was before the last change of the live version has been settled by that.
    lost = [entry for entry in entries[last:]
            if entry["version"] not in deleted and int(entry["version"]) > newest]
    if lost:
        return _sentence(line, f"there was a version {lost[-1]['version']} at {lost[-1]['time']}")
    return ""


def _told(line: Line, store: Store) -> list[dict[str, Any]]:
    """Entries about this store, oldest first; those of earlier versions of the log do not name one
    and belong to it if it was there then."""
    born = datetime.fromtimestamp(store.experiment_created / 1000, UTC).isoformat(
        timespec="milliseconds")
    whole = [entry for entry in noted(line) if isinstance(entry, dict)
             and all(isinstance(entry.get(key), str) for key in ("time", "action", "version"))
             and entry["version"].isdigit()]
    return [entry for entry in whole if entry.get("store", store.key) == store.key
            and ("store" in entry or entry["time"] >= born)]


def _sentence(line: Line, told: str) -> str:
    return (f"{line.model_name}: decisions.jsonl says that {told}, which the registry does not "
            "know; was it restored from an older backup? Look with "
            f"`hdm history {line.name}` and say `hdm promote {line.name} VERSION` for the one that "
            "is to serve; until then no version is deleted.")
