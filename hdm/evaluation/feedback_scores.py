"""What a detector says of the pictures that people spoke of, beside what was said to them then."""

import math
from pathlib import Path
from typing import Any

from hdm.dataset.feedback_entries import entries_in
from hdm.dataset.images import read_image
from hdm.detector.detector import HDM

FEEDBACK_SCORES = "feedback.json"


def rescored(detector: HDM, folder: Path) -> list[dict[str, Any]]:
    """One row a picture that was learned from, oldest first; [] if there is no such folder.

    then, now: score, threshold and decision; None and '' where nothing was answered then.
    """
    rows = []
    for entry in sorted(entries_in(folder), key=lambda one: (one.when, one.id)):
        found = detector.predict([read_image(folder / entry.picture)])[0]
        rows.append({
            "id": entry.id, "name": entry.name, "who": entry.who, "why": entry.why,
            "when": entry.when, "version_then": entry.model_version,
            "said": entry.said,
            "then": {"score": entry.score, "threshold": entry.threshold,
                     "decision": entry.decision},
            "now": {"score": found.score if math.isfinite(found.score) else None,
                    "threshold": found.threshold, "decision": found.decision}})
    return rows
