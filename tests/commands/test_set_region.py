"""`hdm region`: what is set, shown and refused."""

import json

import numpy as np
import pytest
import tiny

from hdm.commands.exit_codes import report
from hdm.commands.set_region import region
from hdm.dataset.manifest import Manifest, Row
from hdm.dataset.region_file import ignored_pixels, read_region
from hdm.errors import HDMError
from hdm.line import Line
from hdm.stages.line_regions import ignored_text, resolved_region
from hdm.stages.runner import run_stage

TRIANGLE = "0.1,0.1 0.6,0.1 0.3,0.7"
CORNERS = [[0.1, 0.1], [0.6, 0.1], [0.3, 0.7]]


@pytest.fixture
def line(tmp_path, monkeypatch) -> Line:
    project = tiny.write_project(tmp_path)
    monkeypatch.chdir(project)
    chosen = Line.load("plate", project)
    tiny.write_png(chosen.source / "good/0.png", np.full((30, 40), 90, np.uint8))
    Manifest.of([Row("good/0.png", "train", 0, "good", None, "0", 40, 30, 1, 8, 8, "0" * 64)],
                chosen.source).save(chosen.manifest_file)
    return chosen


def square(shape=(30, 40)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[shape[0] // 3:shape[0] // 2, 5:15] = True
    return mask


def test_without_a_region_whole_pictures_are_inspected(line, capsys) -> None:
    region("plate")
    assert "whole pictures are inspected" in capsys.readouterr().out
    region("plate", clear=True)
    assert resolved_region(line) is None and ignored_text(line, _normals(line)) == ""


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("how", ["polygon", "list", "objects", "mask"])
def test_it_is_set_shown_and_cleared(line, how, inside, capsys) -> None:
    drawn = line.project / ("drawn.png" if how == "mask" else "drawn.json")
    if how == "mask":
        tiny.write_png(drawn, square())
        region("plate", ignore=drawn, inside=inside)
    elif how == "polygon":
        region("plate", polygon=[TRIANGLE, "0.7,0.7 0.9,0.7 0.9,0.9"], inside=inside)
    else:
        drawn.write_text(json.dumps([CORNERS] if how == "list" else [{"corners": CORNERS}]))
        region("plate", file=drawn, inside=inside)
    found = read_region(line.region_file)
    pixels = ignored_pixels(line.region_file, found, 30, 40)
    assert pixels[11, 8 if how == "mask" else 12] != inside
    said = capsys.readouterr().out
    assert "of each picture is not inspected" in said and "hdm run plate" in said
    assert (line.folder / "region.png").is_file()
    region("plate")
    assert "No training took it yet" in capsys.readouterr().out
    region("plate", clear=True)
    assert not list(line.region_file.parent.iterdir())


def test_what_was_trained_with_it_says_so(line, capsys) -> None:
    region("plate", polygon=[TRIANGLE])
    run_stage("configure", "plate", line.project)
    capsys.readouterr()
    region("plate")
    assert "No training took it yet" not in capsys.readouterr().out


@pytest.mark.parametrize(("given", "part"), [
    ({"inside": True}, "expected one of"), ({"clear": True, "polygon": [TRIANGLE]}, "one of"),
    ({"polygon": ["0.1,0.1 0.6"]}, "expected --polygon"),
    ({"polygon": ["a,b c,d e,f"]}, "expected --polygon"), ({"polygon": [""]}, "corners"),
    ({"polygon": ["0,0 1,1 1,0 0,1"]}, "crosses itself"),
    ({"polygon": ["10,10 60,10 30,70"]}, "between 0 and 1"),
    ({"file": "missing.json"}, "cannot be read"), ({"ignore": "missing.png"}, "no such file"),
    ({"ignore": "tall.png"}, "40 x 30 px, found 30 x 40"),
    ({"ignore": "white.png"}, "at least 1%"), ({"ignore": "black.png"}, "ignores nothing"),
    ({"file": "whole.json", "inside": True}, "leave --inside out")])
def test_what_cannot_be_set_is_told_and_the_region_stays(line, given, part, monkeypatch) -> None:
    region("plate", polygon=[TRIANGLE])
    before = line.region_file.read_bytes()
    tiny.write_png(line.project / "tall.png", square((40, 30)))
    tiny.write_png(line.project / "white.png", np.full((30, 40), 255, np.uint8))
    tiny.write_png(line.project / "black.png", np.zeros((30, 40), np.uint8))
    (line.project / "whole.json").write_text("{}")
    paths = {key: line.project / value if key in ("file", "ignore") else value
             for key, value in given.items()}
    with pytest.raises(HDMError, match=part) as told:
        region("plate", **paths)
    assert report(told.value) in (2, 3) and "\n" not in str(told.value)
    assert line.region_file.read_bytes() == before


def test_configure_resolves_it_and_a_change_behind_its_back_is_told(line) -> None:
    region("plate", polygon=[TRIANGLE])
    run_stage("configure", "plate", line.project)
    settings = json.loads(line.settings_file("dagm_fit").read_text())
    assert settings["region"] == resolved_region(line)
    assert "region" not in json.loads(line.settings_file("ddm_train").read_text())
    assert line.stage_params("dagm_fit").seed == 0
    assert ignored_text(line, _normals(line))
    region("plate", polygon=["0.2,0.2 0.6,0.1 0.3,0.7"])
    assert resolved_region(line) != settings["region"]
    with pytest.raises(HDMError, match="dvc repro dagm_fit@plate"):
        ignored_text(line, _normals(line))
    line.region_file.unlink()
    with pytest.raises(HDMError, match="has changed"):
        ignored_text(line, _normals(line))


def _normals(line: Line) -> Manifest:
    return Manifest.load(line.manifest_file, line.source_root).split("train")
