"""dvc.yaml says what each stage runs: every room that the stage's module imports, and no other."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from hdm.config import STAGES
from hdm.registry.import_closure import import_closure
from hdm.stages.runner import HELPERS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "hdm"
STARTER = Path("__init__.py")
"""hdm/__init__.py holds the version and switches other libraries' telemetry off: no result follows
from it, and a new version number must not train every line again."""


def declared(stage: str, pipeline: dict[str, Any]) -> list[str]:
    """The code that the stage depends on according to `pipeline`, relative to the project."""
    entry = pipeline["stages"][stage]
    return [dep for dep in entry.get("do", entry)["deps"] if dep.startswith("hdm/")]


@cache
def needed(stage: str) -> list[Path]:
    """Files with code that the stage's module imports, relative to the package."""
    files, _ = import_closure(PACKAGE, [Path("stages") / f"{stage}.py"])
    return [file for file in files if file != STARTER and not is_empty(PACKAGE / file)]


def is_empty(file: Path) -> bool:
    return file.name == "__init__.py" and len(file.read_text(encoding="utf-8").splitlines()) <= 1


def missing(stage: str, pipeline: dict[str, Any]) -> list[str]:
    """What the stage imports and does not depend on."""
    rooms = [Path(dep) for dep in declared(stage, pipeline)]
    return [f"hdm/{file}" for file in needed(stage)
            if not any(("hdm" / file).is_relative_to(room) for room in rooms)]


@pytest.fixture(scope="module")
def pipeline() -> dict[str, Any]:
    files = ("dvc.yaml", "data/dvc.yaml")
    own, of_all_lines = (YAML(typ="safe").load(ROOT / file)["stages"] for file in files)
    return {"stages": own | of_all_lines}


def test_every_stage_is_there(pipeline):
    assert set(pipeline["stages"]) == {*STAGES, *HELPERS}


@pytest.mark.parametrize("stage", [*HELPERS, *STAGES])
def test_a_stage_depends_on_all_that_it_runs(stage, pipeline):
    assert missing(stage, pipeline) == [], f"add these, or their rooms, to {stage} in dvc.yaml"


@pytest.mark.parametrize("stage", [*HELPERS, *STAGES])
def test_a_stage_depends_on_nothing_that_it_does_not_run(stage, pipeline):
    files = ["hdm" / file for file in needed(stage)]
    idle = [room for room in declared(stage, pipeline)
            if not any(file.is_relative_to(room) for file in files)]
    assert idle == [], f"take these from {stage} in dvc.yaml"


@pytest.mark.parametrize("stage", STAGES)
def test_each_dependency_that_is_left_out_is_named(stage, pipeline):
    for room in declared(stage, pipeline):
        deps = [dep for dep in declared(stage, pipeline) if dep != room]
        damaged = {"stages": {stage: {"do": {"deps": deps}}}}
        assert missing(stage, damaged), room
        assert all(Path(file).is_relative_to(room) for file in missing(stage, damaged))


def test_only_rooms_that_answer_are_behind_the_scores(pipeline):
    """An edit of what scores an image trains and measures again, and grows nothing again."""
    behind = {stage for stage in STAGES if "hdm/detector" in declared(stage, pipeline)}
    assert behind == {"ddm_train", "evaluate", "register"}
