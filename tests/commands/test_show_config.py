"""`hdm config` and `hdm deployments`."""

import json

import pytest
from ruamel.yaml import YAML

from hdm.commands.show_config import commented
from hdm.settings import Params


def test_show_prints_merged_settings_and_marks_what_the_line_overrides(hdm, project) -> None:
    found = hdm("config", "show", "plates")
    assert found.code == 0
    content = YAML(typ="safe").load(found.out)
    assert content["seed"] == 7
    assert content["dagm_synthesize"]["samples"] == 250
    assert content["pom_filter"]["keep"] == 0.5  # of params.yaml
    assert Params.model_validate(content).seed == 7
    marked = [line.split("#")[0].strip() for line in found.out.splitlines() if "overridden" in line]
    assert marked == ["seed: 7", "samples: 250"]
    assert "samples: 250  # overridden; default: 1200" in found.out
    assert "overridden" not in hdm("config", "show", "meshes").out


def test_show_of_an_unknown_line(hdm, project) -> None:
    found = hdm("config", "show", "bolts")
    assert (found.code, found.out) == (2, "")
    assert "no product line 'bolts'" in found.err


def test_a_mapping_may_be_overridden_where_the_default_is_none() -> None:
    text = commented({"a": {"b": 1}, "c": 2}, {"c": 3}, {"a": {"b": 1}})
    assert dict(text) == {"a": {"b": 1}, "c": 2}


def test_schema_is_a_json_schema_with_the_descriptions(hdm, project) -> None:
    both = json.loads(hdm("config", "schema").out)
    assert set(both) == {"params.yaml", "pipelines.yaml", "alarms.yaml"}
    one = json.loads(hdm("config", "schema", "params.yaml").out)
    assert one == both["params.yaml"]
    assert {"validate", "register"} <= set(one["properties"])
    assert one["additionalProperties"] is False
    assert "optimiser" in json.dumps(one).lower()
    assert hdm("config", "schema", "dvc.yaml").code == 2


def test_check_finds_mistakes_in_any_file(hdm, project) -> None:
    assert hdm("config", "check").code == 2  # no prefect.yaml yet
    assert hdm("deployments", "write").code == 0
    assert hdm("config", "check") == (0, "ok: 2 lines (plates, meshes)\n", "")
    pipelines = (project / "pipelines.yaml").read_text()
    (project / "pipelines.yaml").write_text(pipelines.replace("samples", "sampels"))
    found = hdm("config", "check")
    assert found.code == 2
    assert "did you mean 'samples'?" in found.err


def test_deployments_check_says_the_difference(hdm, project) -> None:
    found = hdm("deployments", "check")
    assert found.code == 1
    assert "+  - name: plates" in found.out
    assert "written" in hdm("deployments", "write").out
    assert "up to date" in hdm("deployments", "write").out
    assert hdm("deployments", "check").code == 0


@pytest.mark.parametrize("text", ["lines: [", "lines: {a: {source: 3}}", "- a\n"])
def test_broken_pipelines_yaml_is_one_sentence(hdm, project, text) -> None:
    (project / "pipelines.yaml").write_text(text)
    for command in (("lines", "list"), ("config", "check"), ("results",), ("deployments", "write")):
        found = hdm(*command)
        assert found.code == 2
        assert found.err.startswith("error: ")
        assert "pipelines.yaml" in found.err
        assert found.err.count("\n") == 1
