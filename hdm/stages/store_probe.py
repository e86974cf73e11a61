"""registry: whether the MLflow store has what a line last registered, so that DVC notices a loss.

Runs at every `dvc repro`, of all lines at once and therefore without importing mlflow: each run of
a stage costs DVC seconds where there are a hundred lines. The line's file stays the same byte for
byte as long as nothing was lost; `register` depends on it.
"""

from pathlib import Path
from typing import Any

from hdm.errors import HDMError
from hdm.files import read_json, write_json
from hdm.line import Line
from hdm.registry.address import tracking_off, tracking_uri
from hdm.registry.store import has_version, prepare


def run(line: Line, console: Any = None) -> None:
    """Write data/.stores/<line>.json; a file whose content is the same is left alone.

    Raises RegistryError if the store cannot be used.
    """
    before = _read(line.store_file)
    content = {"tracking": "off"} if tracking_off() else {"lost": _lost(line) or before.get("lost")}
    if content != before:
        write_json(line.store_file, content)


def _lost(line: Line) -> str:
    """The registered version that the store does not have (any more), '' if there is none."""
    receipt = _read(line.stage_folder("register") / "receipt.json")
    if not (version := receipt.get("version")):
        return ""
    if receipt.get("store") == prepare(line).key and has_version(
            tracking_uri(line.project), line.model_name, version):
        return ""
    return f"version {version} of run {receipt.get('run_id')}"


def _read(file: Path) -> dict[str, Any]:
    try:
        content = read_json(file)
    except HDMError:
        return {}
    return content if isinstance(content, dict) else {}
