"""What the registry holds of a line, for tables."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from hdm.evaluation.detection import Detection
from hdm.line import Line
from hdm.registry.address import tracking_off, tracking_uri
from hdm.registry.detection_tag import detection_of
from hdm.registry.model_versions import CHAMPION, aliases
from hdm.registry.store import ask, identified

LIVE = "hdm.live_since"
FIGURES = ("image_auroc", "pixel_auroc", "threshold")
"""Metrics on a version's tags that tables show."""


class VersionRecord(NamedTuple):
    """One model version; `created` is in ms since 1970. figures: by name, those of FIGURES.
    detection: what it stops at its operating point, None where it was registered without that."""

    version: int
    decision: str
    reasons: tuple[str, ...]
    aliases: tuple[str, ...]
    created: int
    run_id: str
    figures: dict[str, float | None]
    detection: Detection | None = None

    @property
    def image_auroc(self) -> float | None:
        """A fraction."""
        return self.figures.get("image_auroc")

    @property
    def pixel_auroc(self) -> float | None:
        """A fraction."""
        return self.figures.get("pixel_auroc")


class Service(NamedTuple):
    """A time in which a version was live; `since` is UTC, `until` empty while it still is."""

    version: str
    since: str
    until: str


def versions(line: Line) -> list[VersionRecord]:
    """All versions of the line's model, newest first; empty if the store has none.

    Raises RegistryError if the store cannot be read.
    """
    if tracking_off():
        return []
    return ask(tracking_uri(line.project), lambda client: known_versions(client, line))


def known_versions(client: Any, line: Line) -> list[VersionRecord]:
    """The same, asked by `client`: MLflow's, or a quick one."""
    if identified(client, line.name) is None:
        return []
    found = client.search_model_versions(f"name = '{line.model_name}'")
    names = aliases(client, line.model_name)
    return sorted((_record(v, names) for v in found), key=lambda r: -r.version)


def champion_of(records: Iterable[VersionRecord]) -> VersionRecord | None:
    """The version that is champion; None if there is none."""
    return next((record for record in records if CHAMPION in record.aliases), None)


def services(client: Any, model: str) -> list[Service]:
    """Who was live when, oldest first, from the marks on the versions."""
    starts = sorted((time, str(v.version))
                    for v in client.search_model_versions(f"name = '{model}'")
                    for time in v.tags.get(LIVE, "").split() if time)
    ends = [time for time, _ in starts[1:]] + [""] * bool(starts)
    return [Service(version, time, end)
            for (time, version), end in zip(starts, ends, strict=True)]


def receipt_file(line: Line) -> Path:
    """data/<line>/register/receipt.json: what the last registration did."""
    return line.stage_folder("register") / "receipt.json"


def _record(version: Any, names: dict[str, str]) -> VersionRecord:
    tags = version.tags
    reasons = tuple(filter(None, tags.get("hdm.reasons", "").split(", ")))
    return VersionRecord(
        int(version.version), tags.get("hdm.decision", ""), reasons,
        tuple(sorted(a for a, number in names.items() if number == str(version.version))),
        int(version.creation_timestamp), tags.get("hdm.retrain_run", version.run_id or ""),
        {name: _float(tags.get(f"hdm.{name}")) for name in FIGURES},
        detection_of(tags))


def _float(text: str | None) -> float | None:
    return float(text) if text else None
