"""What DVC writes of the stages of a line that tests make by hand."""

import hashlib
from pathlib import Path

from ruamel.yaml import YAML

from hdm.registry.recorded_outputs import folder_hash


def record_outputs(project: Path, line: str) -> None:
    """A dvc.lock as DVC leaves it when ddm_train and evaluate are done."""
    trained, measured = (project / "data" / line / stage for stage in ("ddm_train", "evaluate"))
    outputs = {"ddm_train": [trained], "evaluate": sorted(measured.glob("*.*"))}
    stages = {f"{stage}@{line}": {"cmd": "made by hand", "outs": [
        {"path": path.relative_to(project).as_posix(), "md5": dvc_hash(path)}
        for path in paths if path.exists()]} for stage, paths in outputs.items()}
    YAML().dump({"schema": "2.0", "stages": stages}, project / "dvc.lock")


def dvc_hash(path: Path) -> str:
    if path.is_file():
        return hashlib.md5(path.read_bytes()).hexdigest()
    return folder_hash({file.relative_to(path).as_posix(): dvc_hash(file)
                        for file in path.rglob("*") if file.is_file()})
