"""What a version stops at its operating point, as a tag of the version: short, and read back."""

import json
from collections.abc import Mapping

from hdm.evaluation.detection import Detection, Stopped
from hdm.registry.mlflow_uris import TEXT_LENGTH

DETECTION = "hdm.detection"


def detection_tag(found: Detection) -> str:
    """JSON: coverage, then good parts, all defects and each type as lists.

    Where there are too many types for a tag, those that are found best are left out.
    """
    worst_first = sorted(found.types, key=lambda kind: (kind.share or 0.0, kind.kind))
    for kept in range(len(worst_first), -1, -1):
        rows = [list(kind) for kind in (found.good, found.defects, *worst_first[:kept])]
        text = json.dumps([found.coverage, *rows], ensure_ascii=False, separators=(",", ":"))
        if len(text.encode()) <= TEXT_LENGTH:
            return text
    return ""


def detection_of(tags: Mapping[str, str]) -> Detection | None:
    """The inverse; None for a version that was registered without it, or whose tag was edited."""
    try:
        coverage, good, defects, *types = json.loads(tags.get(DETECTION) or "")
        return Detection(Stopped(*good), Stopped(*defects), tuple(
            sorted(Stopped(*kind) for kind in types)), float(coverage))
    except (TypeError, ValueError):
        return None
