"""`hdm lines remove` and `clone`."""

import json
from pathlib import Path

from plant_files import dvc, named
from ruamel.yaml import YAML

from hdm.registry.address import tracking_uri
from hdm.registry.mlflow_client import connect


def archive(project: Path) -> Path:
    (found,) = (project / "data/.removed").iterdir()
    return found


def test_a_removed_line_is_put_aside_and_its_models_stay(hdm, plant) -> None:
    code, said = hdm("lines", "remove", "plate", "--yes", "--why", "sold")
    assert code == 0, said
    assert named(plant, "plate") == []
    kept = archive(plant)
    assert (kept / "data/raw/good/1.png").read_bytes() == b"an image"
    assert (kept / "data/dagm_fit/made.txt").is_file()
    assert (kept / "test_sets/spring.csv").is_file() and (kept / "feedback/a.png").is_file()
    assert len(list((kept / "regions").iterdir())) == 2
    last = json.loads((kept / "data/decisions.jsonl").read_text().splitlines()[-1])
    assert (last["action"], last["why"]) == ("remove", "sold")
    entry = YAML(typ="safe").load((kept / "entry.yaml").read_text())["lines"]["plate"]
    assert entry["overrides"] == {"seed": 7}
    assert "dagm_fit@plate" in (kept / "dvc.lock.yaml").read_text()
    text = (plant / "pipelines.yaml").read_text()
    assert "ticket 12" not in text and "# The meshes.\n  mesh:" in text
    client = connect(tracking_uri(plant))
    model = client.get_registered_model("hdm-plate")
    assert model.aliases == {"champion": 1} and "sold" in model.tags["hdm.removed"]
    assert client.get_experiment_by_name("hdm/plate").lifecycle_stage == "active"
    assert "plate" not in dvc("status", cwd=plant)


def test_results_are_deleted_only_when_asked_and_nothing_else_is(hdm, plant) -> None:
    code, said = hdm("lines", "remove", "plate", "--yes", "--delete-results")
    assert code == 0, said
    kept = sorted(path.name for path in (archive(plant) / "data").iterdir())
    assert "raw" in kept and "decisions.jsonl" in kept
    assert not {"dagm_fit", "ingest", "config"} & set(kept)


def test_the_name_of_a_removed_line_is_not_given_to_another(hdm, plant) -> None:
    hdm("lines", "remove", "plate", "--yes")
    for command in (("add", "--name", "plate", "--source", "raw/mesh"),
                    ("clone", "mesh", "plate", "--yes"), ("rename", "mesh", "plate", "--yes")):
        code, said = hdm("lines", *command)
        assert code == 2 and "registry" in said, said


def test_a_line_whose_images_another_reads_is_not_removed(hdm, plant) -> None:
    assert hdm("lines", "clone", "plate", "twin", "--yes")[0] == 0
    code, said = hdm("lines", "remove", "plate", "--yes")
    assert code == 2 and "twin reads images in data/plate" in said
    assert hdm("lines", "rename", "plate", "lid", "--yes")[0] == 0
    lines = YAML(typ="safe").load((plant / "pipelines.yaml").read_text())["lines"]
    assert lines["twin"]["source"]["path"] == "data/lid/raw"


def test_a_copy_has_settings_and_what_was_asked_for_and_no_models(hdm, plant) -> None:
    code, said = hdm("lines", "clone", "plate", "twin", "--region", "--test-sets", "--yes")
    assert code == 0, said
    lines = YAML(typ="safe").load((plant / "pipelines.yaml").read_text())["lines"]
    assert list(lines) == ["plate", "twin", "mesh"]
    assert lines["twin"] == {**lines["plate"], "inbox": ""}
    assert (plant / "test_sets/twin/spring.csv").is_file()
    assert (plant / "regions/twin.json").is_file()
    assert not (plant / "data/twin").exists()
    assert "name: twin" in (plant / "prefect.yaml").read_text()


def test_a_copy_with_other_images_takes_no_test_set_along(hdm, plant) -> None:
    code, said = hdm("lines", "clone", "plate", "twin", "--source", "raw/mesh", "--test-sets",
                     "--yes")
    assert code == 2 and "names images of the source" in said
    assert hdm("lines", "clone", "plate", "twin", "--source", "raw/mesh", "--yes")[0] == 0
    twin = YAML(typ="safe").load((plant / "pipelines.yaml").read_text())["lines"]["twin"]
    assert (twin["source"]["path"], twin["test_set"], twin["inbox"]) == ("raw/mesh", "", "")
