"""A line knows all its paths, and what it was told."""

import dataclasses
import json
from pathlib import Path

import pytest
import tiny

from hdm.config import STAGES, stage_settings
from hdm.errors import ConfigError, HDMError
from hdm.line import Line, find_project


@pytest.fixture
def line(tmp_path):
    return Line.load("plate", tiny.write_project(tmp_path / "plant"))


def test_paths(line):
    data = line.project / "data" / "plate"
    assert line.folder == data and line.model_name == "hdm-plate"
    assert line.stage_folder("ddm_train") == data / "ddm_train"
    assert line.work_folder("ddm_train") == data / ".work" / "ddm_train"
    assert line.settings_file("evaluate") == data / "config" / "evaluate.json"
    assert line.manifest_file == data / "ingest" / "manifest.parquet"
    assert line.detector_folder == data / "ddm_train" / "detector"


def test_resume_points_lie_outside_every_stage_folder(line):
    for stage in STAGES:
        assert line.stage_folder(stage) not in line.work_folder(stage).parents


@pytest.mark.parametrize("path", ["images", "../outside", "sub/../images", "/var/images"])
def test_source_is_relative_to_the_project_unless_absolute(tmp_path, path):
    project = tiny.write_project(tmp_path / "plant", line={"source": {"path": path}})
    expected = {"images": project / "images", "../outside": tmp_path / "outside",
                "sub/../images": project / "images", "/var/images": Path("/var/images")}
    loaded = Line.load("plate", project)
    assert loaded.source == loaded.source_root == expected[path]


def test_source_root_of_a_table_is_its_folder(tmp_path):
    project = tiny.write_project(tmp_path, line={"source": {"path": "images/list.csv"}})
    (project / "images").mkdir()
    (project / "images" / "list.csv").write_text("path,label\n")
    assert Line.load("plate", project).source_root == project / "images"


def test_unknown_line_names_those_there_are(line):
    with pytest.raises(ConfigError, match=r"no product line 'plat'.*it has: plate"):
        Line.load("plat", line.project)
    (line.project / "pipelines.yaml").write_text("lines: {}")
    with pytest.raises(ConfigError, match="it has: none"):
        Line.load("plate", line.project)


@pytest.mark.parametrize("name", ["../plate", "plate/", "", "."])
def test_names_that_are_paths_are_no_lines(line, name):
    with pytest.raises(ConfigError):
        Line.load(name, line.project)


def test_project_is_found_from_below(line, monkeypatch):
    deep = line.project / "data" / "plate" / "x"
    deep.mkdir(parents=True)
    assert find_project(deep) == line.project.resolve()
    monkeypatch.chdir(deep)
    assert Line.load("plate").project == line.project.resolve()


def test_no_project_is_one_sentence(tmp_path):
    with pytest.raises(ConfigError, match=r"expected a project with pipelines\.yaml"):
        find_project(tmp_path)


def test_stage_params_are_what_configure_resolved(line):
    file = line.settings_file("dagm_fit")
    file.parent.mkdir(parents=True)
    content = stage_settings(line.params, "dagm_fit") | {"seed": 9}
    file.write_text(json.dumps(content))
    assert line.stage_params("dagm_fit").seed == 9
    assert stage_settings(line.stage_params("dagm_fit"), "dagm_fit") == content


def test_missing_and_broken_settings_are_one_sentence(line):
    with pytest.raises(HDMError, match="does not exist"):
        line.stage_params("dagm_fit")
    file = line.settings_file("dagm_fit")
    file.parent.mkdir(parents=True)
    for text in ('{"seed": "x"}', '{"magic": 1}', "[1]", "3"):
        file.write_text(text)
        with pytest.raises(ConfigError, match="other settings than this version knows") as error:
            line.stage_params("dagm_fit")
        assert "\n" not in str(error.value)


def test_line_is_immutable(line):
    with pytest.raises(dataclasses.FrozenInstanceError):
        line.name = "other"


def test_inbox_and_frozen_sets(line, tmp_path):
    assert line.inbox is None
    entry = line.entry.model_copy(update={"inbox": "../in"})
    with_inbox = dataclasses.replace(line, entry=entry)
    assert with_inbox.inbox == line.project.parent / "in"
    assert line.frozen_folder == line.project / "test_sets" / line.name
