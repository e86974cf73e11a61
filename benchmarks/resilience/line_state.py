"""All that a line is, in a form in which two runs of the same commands are equal."""

import hashlib
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

LINE = "plate"
FOLDERS = ("plant/data", "plant/feedback", "plant/regions", "plant/test_sets", "camera", "drop")
APART = re.compile(r"/\.work/|ledger\.json$|store\.json$|decisions\.jsonl$|intake\.jsonl$|"
                   r"receipt\.json$|/log/|\.lock$")
VOLATILE = ("time", "data_version", "id", "run_id", "experiment_id", "store", "when", "at")
TAGS = ("hdm.fingerprint", "hdm.decision", "hdm.outcome", "hdm.withdrawn", "hdm.pinned")


def state(root: Path) -> dict[str, Any]:
    """Files by content, what the registry says, and what the logs tell; without times and ids."""
    found: dict[str, Any] = {}
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            name = "/" + file.relative_to(root).as_posix()
            if file.is_file() and not APART.search(name):
                name = re.sub(r"/quarantine/[\d-]+/", "/quarantine/day/", name)
                found[name] = _content(file)
    data = root / "plant" / "data" / LINE
    receipt = data / "register" / "receipt.json"
    if receipt.is_file():
        found["receipt"] = _plain(json.loads(receipt.read_text()))
    for log in ("decisions.jsonl", "intake.jsonl"):
        if (data / log).is_file():
            rows = [_plain(json.loads(row)) for row in (data / log).read_text().splitlines()]
            found[log] = _without_echo(rows)
    return found | _registry(root)


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """What is another, too much or missing, one line each."""
    return [f"{key}: {_short(found.get(key))} instead of {_short(wanted.get(key))}"
            for key in sorted(found.keys() | wanted.keys()) if found.get(key) != wanted.get(key)]


def nearest(found: dict[str, Any], wanted: Sequence[dict[str, Any]]) -> list[str]:
    """The differences from that one of the wanted states that is most alike."""
    return min((differences(found, one) for one in wanted), key=len)


def keep_row(file: Path, row: dict[str, Any]) -> None:
    """Put a deed's figures into a JSON list, in place of its earlier ones."""
    rows = json.loads(file.read_text()) if file.is_file() else []
    rows = [one for one in rows if one["deed"] != row["deed"]] + [row]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(rows, indent=2) + "\n")


def _content(file: Path) -> str:
    if file.suffix == ".json" and "/feedback/" in file.as_posix():
        return json.dumps(_plain(json.loads(file.read_text())), sort_keys=True)
    content = file.read_bytes()
    if file.suffix == ".html":  # it names the commit, which tells when it was made
        content = re.sub(rb"\b[0-9a-f]{40}\b", b"COMMIT", content)
    return hashlib.sha256(content).hexdigest()[:16]


def _plain(content: Any) -> Any:
    if isinstance(content, dict):
        if content.get("code") == "latency_measured":
            return "SPEED"
        return {key: _plain(value) for key, value in content.items() if key not in VOLATILE}
    if isinstance(content, list):
        return [_plain(value) for value in content]
    if isinstance(content, str):
        return re.sub(r"\d{4}-\d\d-\d\d[T ]?[\d:.+]*", "TIME",
                      re.sub(r"\d+(\.\d+)? ms", "SPEED", content))
    return content


def _without_echo(rows: list[Any]) -> list[Any]:
    """An entry said twice in a row is one decision: a killed attempt may have noted it."""
    return [row for n, row in enumerate(rows) if n == 0 or row != rows[n - 1]]


def _registry(root: Path) -> dict[str, Any]:
    file = root / "plant" / "mlflow.db"
    if not file.is_file():
        return {}
    found: dict[str, Any] = {}
    with closing(sqlite3.connect(file)) as store:  # rolls back what was killed
        found["aliases"] = dict(store.execute(
            "select alias, version from registered_model_aliases"))
        versions = store.execute("select version, storage_location, source from model_versions "
                                 "where current_stage != 'Deleted_Internal'").fetchall()
        tags = store.execute("select version, key, value from model_version_tags").fetchall()
        models = {row[0]: row[1] for row in store.execute(
            "select model_id, artifact_location from logged_models")}
    for version, place, source in versions:
        named = {key: value for of, key, value in tags if of == version and key in TAGS}
        location = models.get(str(source).removeprefix("models:/"), str(place or source))
        found[f"version {version}"] = {
            **{key: "set" if key == "hdm.withdrawn" else value for key, value in named.items()},
            "files": _files(Path(location.removeprefix("file://")))}
    return found


def _files(folder: Path) -> dict[str, str]:
    """The detector of a version, file by file."""
    whole = {file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()[:8]
             for file in sorted(folder.rglob("*")) if file.is_file()}
    kinds = Counter("empty" for file in folder.rglob("*") if file.is_file()
                    and not file.stat().st_size and file.name != "__init__.py")
    return {name: digest for name, digest in whole.items()
            if "/detector/" in f"/{name}" and not name.startswith("code/")} | {
        "count": str(len(whole)), **{key: str(value) for key, value in kinds.items()}}


def _short(value: Any) -> str:
    return str(value)[:200]
