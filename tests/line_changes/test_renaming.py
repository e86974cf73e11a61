"""`hdm lines rename`: everything follows, nothing is computed again, and a kill loses nothing."""

import json
from pathlib import Path

import pytest
from plant_files import calls, dvc, named

from hdm.dataset.region_file import read_region
from hdm.files import atomic_file
from hdm.line import Line
from hdm.registry.decision_log import noted
from hdm.registry.history import versions


def test_everything_bears_the_new_name_and_nothing_runs_again(hdm, plant) -> None:
    before = calls(plant)
    code, said = hdm("lines", "rename", "plate", "lid", "--yes", "--why", "asked for")
    assert code == 0, said
    assert "nothing is computed again" in said and "1 version" in said
    assert named(plant, "plate") == []
    text = (plant / "pipelines.yaml").read_text()
    for comment in ("# The first, see ticket 12.\n  lid:   # line one", "# from the camera",
                    "# The meshes.\n  mesh:"):
        assert comment in text
    assert "path: data/lid/raw" in text and "inbox: ../drop" in text
    dvc("repro", "-q", "dagm_fit@lid", cwd=plant)
    # Folders of test sets and regions are other ones for DVC, so the settings are resolved again,
    # and come out as they are.
    assert calls(plant)[len(before):] == ["configure@lid"]
    assert [file.name for file in sorted((plant / "data/.stores").iterdir())] == \
        ["lid.json", "mesh.json"]
    region = read_region(plant / "regions/lid.json")
    assert region and (plant / "regions" / region.mask).is_file() and region.mask[:4] == "lid-"


def test_the_registry_follows_with_numbers_aliases_and_history(hdm, plant) -> None:
    assert hdm("lines", "rename", "plate", "lid", "--yes")[0] == 0
    line = Line.load("lid", plant)
    (found,) = versions(line)
    assert found.aliases == ("champion",)
    entries = noted(line)
    assert [entry["action"] for entry in entries] == ["promote", "rename"]
    assert entries[1]["before"] == "plate" and entries[0]["line"] == "plate"
    assert entries[0]["store"] == entries[1]["store"]


def test_a_dry_run_and_a_missing_answer_change_nothing(hdm, plant) -> None:
    before = state(plant)
    code, said = hdm("lines", "rename", "plate", "lid", "--dry-run")
    assert code == 0 and "nothing was changed" in said
    code, said = hdm("lines", "rename", "plate", "lid")
    assert code == 2 and "say --yes" in said
    assert state(plant) == before


@pytest.mark.parametrize(("new", "part"), [
    ("mesh", "exists already"), ("all", "means every line"), ("Lid", "line name 'Lid'"),
    ("kept", "data/kept")])
def test_a_name_that_is_bad_or_taken_is_refused(hdm, plant, new, part) -> None:
    (plant / "data/kept").mkdir()
    before = state(plant)
    code, said = hdm("lines", "rename", "plate", new, "--yes")
    assert code == 2 and part in said
    assert state(plant) == before


class Killed(BaseException):
    """The power is gone."""


@pytest.mark.slow
def test_a_kill_at_any_moment_is_finished_by_the_same_command(hdm, plant, monkeypatch) -> None:
    """Each renaming of a file or folder is a moment; where no more are left, all are tried."""
    done = 0
    rename, replace = Path.rename, Path.replace
    for moment in range(100):
        left = [moment]

        def dying(how, path, target, left=left):
            if "calls" not in str(path):
                left[0] -= 1
                if left[0] < 0:
                    raise Killed
            return how(path, target)

        name, new = ("plate", "lid") if done % 2 == 0 else ("lid", "plate")
        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", lambda path, to, d=dying: d(rename, path, to))
            patch.setattr(Path, "replace", lambda path, to, d=dying: d(replace, path, to))
            try:
                code, said = hdm("lines", "rename", name, new, "--yes")
            except Killed:
                code = -1
        if code == 0:
            break
        code, said = hdm("lines", "rename", name, new, "--yes")
        assert code == 0, f"moment {moment}: {said}"
        assert named(plant, name) == [], f"moment {moment}"
        assert len(noted(Line.load(new, plant))) == done + 2
        done += 1
    assert done > 8
    assert not (plant / ".hdm/line_change.json").exists()


def test_who_comes_to_a_line_that_is_half_renamed_is_told_so(hdm, plant) -> None:
    plan = {"old": "plate", "new": "lid", "command": "hdm lines rename plate lid", "pid": 1}
    with atomic_file(plant / ".hdm/line_change.json") as temporary:
        temporary.write_text(json.dumps(plan))
    for name in ("plate", "lid"):
        code, said = hdm("history", name)
        assert code == 2 and "`hdm lines rename plate lid` is under way or was cut off" in said
    assert hdm("config", "check")[0] == 2
    code, said = hdm("lines", "remove", "mesh", "--yes")
    assert code == 2 and "line_change.json is not a readable plan" in said


def state(project: Path) -> dict[str, bytes]:
    return {path.relative_to(project).as_posix(): path.read_bytes()
            for path in sorted(project.rglob("*"))
            if path.is_file() and not {".hdm", ".dvc"} & set(path.parts)
            and not path.name.startswith("mlflow.db")}


def test_a_line_that_never_ran_is_renamed_and_no_store_is_made(hdm, plant) -> None:
    (plant / "mlflow.db").unlink()
    code, said = hdm("lines", "rename", "mesh", "net", "--yes")
    assert code == 0 and "it knows nothing of mesh" in said, said
    assert "\n  net:\n" in (plant / "pipelines.yaml").read_text()
    assert not (plant / "mlflow.db").exists() and not (plant / "data/net").exists()
