"""From which outputs of which stages a version was made, as DVC names them."""

import hashlib
import json
from collections.abc import Sequence

from hdm.line import Line
from hdm.registry.recorded_outputs import LOCK, recorded

LOCK_HASH, OUTPUTS = "hdm.dvc_lock", "hdm.dvc_outputs"

def lineage_tags(line: Line, stages: Sequence[str]) -> dict[str, str]:
    """Tags of a version: SHA-256 of dvc.lock as it was at its registration, and stage -> MD5 in
    DVC's cache, as JSON; nothing where DVC recorded nothing.

    A stage that has a folder is that folder's hash; evaluate is that of its metrics.json.
    """
    file = line.project / LOCK
    if not file.is_file():
        return {}
    found = {}
    for stage in stages:
        outputs = recorded(line.project, f"{stage}@{line.name}")
        folder = line.stage_folder(stage)
        for path in (folder, folder / "metrics.json"):
            name = path.relative_to(line.project).as_posix()
            if name in outputs:
                found[stage] = outputs[name]
    return {LOCK_HASH: hashlib.sha256(file.read_bytes()).hexdigest(),
            **({OUTPUTS: json.dumps(found)} if found else {})}
