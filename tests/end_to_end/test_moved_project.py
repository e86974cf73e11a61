"""A trained project is copied, or its folder renamed, and used on from there."""

import shutil
from pathlib import Path

import pytest
from plant import LINE, Plant, call, contents, hdm, one_sentence, override, receipt, stages_run

pytestmark = pytest.mark.slow
MODEL = f"hdm-{LINE}"


@pytest.fixture(params=["copied", "moved"])
def place(request: pytest.FixtureRequest, plant: Plant, tmp_path: Path) -> tuple[Path, Path]:
    """Where the project was and where it is."""
    # The snapshot is itself a copy, so it is given files of its own first.
    first = tmp_path / "first"
    shutil.copytree(plant.snapshot.parent, first, symlinks=True)
    before = first / plant.snapshot.name
    assert hdm(before, "registry", "relocate").returncode == 0
    there = tmp_path / "second" / "trial"
    there.parent.mkdir()
    shutil.copytree(first / "camera", there.parent / "camera")
    if request.param == "copied":
        shutil.copytree(before, there, symlinks=True)
    else:
        before.rename(there)
    return before, there


def test_it_works_from_the_new_place_and_leaves_the_old_one_alone(
        plant: Plant, place: tuple[Path, Path]) -> None:
    before, there = place
    originals = [plant.project.parent, *([before] if before.exists() else [])]
    untouched = [contents(folder) for folder in originals]
    champion = f"models:/{MODEL}@champion"
    picture = str(next((there.parent / "camera" / "test" / "good").iterdir()))

    done = call("dvc", "repro", f"register@{LINE}", cwd=there)
    assert stages_run(done.stdout) == ["data/dvc.yaml:store_probe"], "there is nothing to do"
    for words in (("predict", LINE, picture, "--model", champion), ("prune", LINE),
                  ("stage", "register", LINE)):
        done = hdm(there, *words)
        assert done.returncode == 6
        said = one_sentence(done.stdout + done.stderr)
        assert str(before) in said and "hdm registry relocate" in said

    done = hdm(there, "registry", "relocate")
    assert done.returncode == 0, done.stderr
    done = call("dvc", "repro", f"register@{LINE}", cwd=there)
    assert stages_run(done.stdout) == ["data/dvc.yaml:store_probe"]
    done = hdm(there, "predict", LINE, picture, "--model", champion)
    assert done.returncode == 0, done.stderr
    override(there, LINE, retention={"versions": 1})
    for rate in (0.11, 0.12, 0.13):
        override(there, LINE, evaluate={"operating_point": {"false_alarm_rate": rate}})
        call("dvc", "repro", f"register@{LINE}", cwd=there)
        version = receipt(there, LINE)["version"]
        done = hdm(there, "promote", LINE, version, "--even-refused", "--why", "a trial")
        assert done.returncode == 0, done.stderr
    assert hdm(there, "prune", LINE).returncode == 0
    done = hdm(there, "rollback", LINE, "--why", "back")
    assert done.returncode == 0 and "version 3 is champion again" in done.stdout, done.stderr
    done = hdm(there, "predict", LINE, picture, "--model", champion)
    assert done.returncode == 0, done.stderr
    models = list(there.glob("mlruns/models/*/artifacts/MLmodel"))
    assert len(models) == 3, "version 1 went, with its files"

    assert [contents(folder) for folder in originals] == untouched
    assert before.exists() is (len(originals) == 2)
