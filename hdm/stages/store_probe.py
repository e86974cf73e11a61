"""registry: which MLflow store the line is in, so that DVC notices a new or an emptied one.

Runs at every `dvc repro`, therefore within milliseconds and without importing mlflow where the
store exists. store.json stays the same byte for byte as long as nothing in the store was lost.
"""

from pathlib import Path
from typing import Any

from hdm.errors import HDMError
from hdm.files import read_json, write_json
from hdm.line import Line
from hdm.registry.address import tracking_off, tracking_uri
from hdm.registry.store import has_version, prepare


def run(line: Line, console: Any = None) -> None:
    """Create what is missing in the store and write data/<line>/store.json.

    Raises RegistryError if the store cannot be used.
    """
    file = line.folder / "store.json"
    if tracking_off():
        write_json(file, {"tracking": "off"})
        return
    store = prepare(line)
    content: dict[str, Any] = {**store._asdict(), "lost": []}
    before = _read(file)
    if all(before.get(key) == value for key, value in store._asdict().items()):
        content["lost"] = before.get("lost", [])
    # A version deleted by hand must be registered again once; remembering it keeps later runs calm.
    receipt = _read(line.stage_folder("register") / "receipt.json")
    version = receipt.get("version")
    name = f"version {version} of run {receipt.get('run_id')}"
    known = receipt.get("store") == store.key and name not in content["lost"]
    if version and known and not has_version(tracking_uri(line.project), line.model_name, version):
        content["lost"] = [*content["lost"], name]
    write_json(file, content)


def _read(file: Path) -> dict[str, Any]:
    try:
        content = read_json(file)
    except HDMError:
        return {}
    return content if isinstance(content, dict) else {}
