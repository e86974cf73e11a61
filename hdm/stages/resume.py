"""Where a training stage continues after an interruption."""

import hashlib
import json
from pathlib import Path

from hdm.config import stage_settings
from hdm.line import Line
from hdm.settings import Params

CHECKPOINT = "checkpoint"


def checkpoint_file(line: Line, stage: str, settings: Params, *inputs: Path) -> Path:
    """Resume point of a training stage; another one as soon as a setting or an input differs."""
    digest = hashlib.sha256(json.dumps(stage_settings(settings, stage), sort_keys=True).encode())
    for file in inputs:
        digest.update(file.read_bytes())
    return line.work_folder(stage) / f"{CHECKPOINT}-{digest.hexdigest()[:16]}.safetensors"
