"""`hdm lines`: listing, and adding without losing what was typed."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

from hdm.commands.add_line import NewLine, extended


@pytest.fixture
def source(project: Path) -> Path:
    folder = project / "camera"
    for kind, count in (("good", 3), ("scratch", 2)):
        (folder / kind).mkdir(parents=True)
        for n in range(count):
            Image.new("L", (8, 8), 30 * n).save(folder / kind / f"{n}.png")
    return folder


def test_list_shows_every_line(hdm, project) -> None:
    found = hdm("lines", "list")
    assert found.code == 0
    for word in ("plates", "meshes", "raw/plates", "Cover plates"):
        assert word in found.out
    told = json.loads(hdm("lines", "list", "--json").out)
    assert list(told) == ["plates", "meshes"] and told["plates"]["source"]["path"] == "raw/plates"


def test_add_writes_the_entry_and_keeps_the_rest(hdm, project, source) -> None:
    before = (project / "pipelines.yaml").read_text()
    found = hdm("lines", "add", "--name", "gears", "--source", "camera", "--description",
                "Gears: small", "--owner", "me@example.com")
    assert found.code == 0, found.err
    assert "layout folder, as there is good/" in found.out
    assert "5 images: good 3, scratch 2; 0 defect images have a mask" in found.out
    after = (project / "pipelines.yaml").read_text()
    assert after.startswith(before)
    entry = YAML(typ="safe").load(after)["lines"]["gears"]
    assert entry == {"description": "Gears: small", "owner": "me@example.com",
                     "source": {"path": "camera", "format": "auto"}}
    assert "name: gears" in (project / "prefect.yaml").read_text()
    assert hdm("config", "check").code == 0


def test_source_is_stored_relative_to_the_project(hdm, project, source, monkeypatch) -> None:
    monkeypatch.chdir(source)
    assert hdm("lines", "add", "--name", "a", "--source", ".").code == 0
    assert hdm("lines", "add", "--name", "b", "--source", str(source)).code == 0
    lines = YAML(typ="safe").load((project / "pipelines.yaml").read_text())["lines"]
    assert lines["a"]["source"]["path"] == "camera"
    assert lines["b"]["source"]["path"] == str(source)


def test_a_folder_alone_is_enough_and_questions_are_answered(hdm, project, source) -> None:
    (source / "label").mkdir()
    for number in range(3):
        noise = np.random.default_rng(number).integers(0, 255, (40, 40), np.uint8)
        Image.fromarray(noise).save(source / f"label/{number}.png")
    asked = hdm("lines", "add", "camera")
    assert asked.code == 3 and "label/ is named like a folder of masks" in asked.err
    added = hdm("lines", "add", "camera", "--folder", "label=defect")
    assert added.code == 0 and "camera added to pipelines.yaml" in added.out
    assert "`hdm run camera`" in added.out
    lines = YAML(typ="safe").load((project / "pipelines.yaml").read_text())["lines"]
    assert lines["camera"]["source"] == {"path": "camera", "format": "auto",
                                         "folders": {"label": "defect"}}


@pytest.mark.parametrize(("rule", "parts"), [("{part}?", 2), ("p{part}", 6), ("{part}*", 6)])
def test_a_rule_for_parts_is_stored_and_counted(hdm, project, rule, parts) -> None:
    for kind in ("good", "scratch"):
        (project / "cells" / kind).mkdir(parents=True)
    for n in range(6):
        name = f"{'good' if n < 3 else 'scratch'}/p{n // 3}{'abc'[n % 3]}.png"
        Image.new("L", (8, 8), 30 * n).save(project / "cells" / name)
    added = hdm("lines", "add", "cells", "--part-rule", rule)
    assert added.code == 0, added.err
    assert f"6 images show {parts} parts." in added.out
    source = YAML(typ="safe").load((project / "pipelines.yaml").read_text())["lines"]["cells"]
    assert source["source"]["part_rule"] == rule
    assert hdm("config", "check").code == 0


def test_looking_at_a_source_adds_nothing_and_a_preset_is_kept(hdm, project, source) -> None:
    (project / "params.yaml").write_text("presets: {instant: {seed: 1}, fast: {}}\n")
    before = (project / "pipelines.yaml").read_bytes()
    looked = hdm("lines", "add", "camera", "--preset", "instant", "--dry-run")
    assert looked.code == 0, looked.err
    assert "5 images: good 3, scratch 2" in looked.out and "added to" not in looked.out
    assert (project / "pipelines.yaml").read_bytes() == before
    assert hdm("lines", "add", "camera", "--preset", "instant").code == 0
    entry = YAML(typ="safe").load((project / "pipelines.yaml").read_text())["lines"]["camera"]
    assert entry["overrides"] == {"preset": "instant"}
    assert hdm("config", "check").code == 0


@pytest.mark.parametrize(("arguments", "part"), [
    (("camera", "--preset", "hasty"), "--preset 'hasty': expected one of"),
    (("--name", "plates", "--source", "camera"), "exists already"),
    (("--name", "all", "--source", "camera"), "cannot be named 'all'"),
    (("--name", "a/b", "--source", "camera"), "line name 'a/b'"),
    (("--name", "..", "--source", "camera"), "line name '..'"),
    (("--name", "x", "--source", "nowhere"), "nowhere"),
    (("--name", "x", "--source", "empty"), "empty folder"),
    (("--name", "x", "--source", "camera", "--format", "cocoa"), "unknown format 'cocoa'"),
    (("--name", "x"), "expected the folder or table"),
    ((), "expected the folder or table"),
    (("camera", "--folder", "scratch=bad"), "the role one of good, defect, masks, aside"),
    (("camera", "--column", "Befund"), "expected OURS=THEIRS"),
    (("camera", "--part-rule", "cam*"), "expected {part} where the part's name stands"),
    (("camera", "--part-rule", "{part}_cam*"), "expected names that fit the part rule"),
])
def test_what_cannot_be_added_changes_nothing(hdm, project, source, arguments, part) -> None:
    (project / "empty").mkdir()
    before = (project / "pipelines.yaml").read_bytes()
    found = hdm("lines", "add", *arguments)
    assert found.code in (2, 3)
    assert part in found.err
    assert found.err.count("\n") == 1
    assert (project / "pipelines.yaml").read_bytes() == before
    assert not (project / "prefect.yaml").exists()


def test_missing_answers_are_asked_for_in_a_terminal(hdm, project, source, monkeypatch) -> None:
    import typer

    answers = iter(["gears", "camera", "Gears", "me"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(typer, "prompt", lambda *_, **__: next(answers))
    assert hdm("lines", "add").code == 0
    lines = YAML(typ="safe").load((project / "pipelines.yaml").read_text())["lines"]
    assert lines["gears"]["description"] == "Gears"


@pytest.mark.parametrize("text", [
    "lines: {}\n", "lines:\n", "# top\nlines:\n  a: {source: {path: x}}  # one\n  # end\n"])
def test_entry_goes_to_the_end_of_any_list(text: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = extended(text, NewLine("new", "raw"), tmp_path)
    lines = YAML(typ="safe").load(result)["lines"]
    assert list(lines)[-1] == "new"
    assert lines["new"] == {"source": {"path": "raw", "format": "auto"}}
    for comment in ("# top", "# one", "# end"):
        assert (comment in text) == (comment in result)
