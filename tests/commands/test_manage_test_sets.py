"""`hdm testset`: freezing, looking, and keeping pipelines.yaml as it was typed."""

import io

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from ruamel.yaml import YAML

from hdm.errors import DataError
from hdm.line import Line
from hdm.orchestration.pipelines_file import with_key
from hdm.stage_run import NoRun
from hdm.stages import configure, ingest


def draw(file, seed):
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (24, 32), np.uint8)
    Image.fromarray(pixels).save(file)


@pytest.fixture
def camera(project):
    """The source of plates, ingested once."""
    folder = project / "raw/plates"
    for n in range(20):
        draw(folder / f"good/{n:02d}.png", n)
    for n in range(3):
        draw(folder / f"dent/{n}.png", 100 + n)
    take_in()
    return folder


def take_in():
    """What DVC does: configure and ingest."""
    line, console = Line.load("plates"), Console(file=io.StringIO())
    configure.run(line, console)
    ingest.run(line, line.stage_params("ingest"), NoRun(), console)


def used():
    return Line.load("plates").entry.test_set


def test_freeze_writes_the_table_and_says_so_in_the_line(hdm, project, camera) -> None:
    before = (project / "pipelines.yaml").read_text()
    found = hdm("testset", "freeze", "plates", "--name", "spring")
    assert found.code == 0, found.err
    assert "frozen as spring: 9 images, 6 of them good" in found.out
    assert "test_sets/plates/spring.csv written" in found.out
    assert used() == "spring"
    text = (project / "pipelines.yaml").read_text()
    assert text.replace("    test_set: spring\n", "") == before
    take_in()
    shown = hdm("testset", "show", "plates").out
    assert "frozen as spring" in shown
    assert "not frozen" not in shown


def test_default_name_is_that_of_the_content_and_freezing_twice_is_no_change(
        hdm, project, camera) -> None:
    assert "It is not frozen" in hdm("testset", "show", "plates").out
    assert "no frozen test set" in hdm("testset", "list", "plates").out
    first = hdm("testset", "freeze", "plates")
    before = (project / "pipelines.yaml").read_bytes()
    second = hdm("testset", "freeze", "plates")
    assert "written" in first.out
    assert "was there already" in second.out
    assert (project / "pipelines.yaml").read_bytes() == before
    assert used() == first.out.split(",")[0]
    listed = hdm("testset", "list", "plates").out.splitlines()
    assert [line for line in listed if used() in line and "yes" in line]


def test_waiting_images_are_taken_in_under_a_new_name_only(hdm, camera) -> None:
    hdm("testset", "freeze", "plates", "--name", "spring")
    draw(camera / "dent/new.png", 200)
    take_in()
    assert "1 images wait outside, first dent/new.png" in hdm("testset", "show", "plates").out
    found = hdm("testset", "freeze", "plates", "--name", "spring", "--add-waiting")
    assert found.code == 2
    assert "exists already with other content" in found.err
    assert used() == "spring"
    assert hdm("testset", "freeze", "plates", "--name", "summer", "--add-waiting").code == 0
    assert used() == "summer"
    take_in()
    assert "frozen as summer: 10 images" in hdm("testset", "show", "plates").out


def test_a_broken_set_is_frozen_anew_as_it_is(hdm, camera) -> None:
    hdm("testset", "freeze", "plates", "--name", "spring")
    draw(camera / "dent/0.png", 300)
    (camera / "dent/1.png").unlink()
    with pytest.raises(DataError, match="2 of 9 images of the frozen test set 'spring'"):
        take_in()
    found = hdm("testset", "freeze", "plates", "--name", "mended")
    assert "1 images are no longer in the source and were left out" in found.out
    take_in()
    assert "frozen as mended: 8 images" in hdm("testset", "show", "plates").out


def test_bad_input_is_one_sentence(hdm, project) -> None:
    assert "run the ingest" in hdm("testset", "freeze", "plates").err
    assert "no product line 'x'" in hdm("testset", "freeze", "x").err


def test_a_key_is_replaced_where_it_stands(project) -> None:
    once = with_key((project / "pipelines.yaml").read_text(), "meshes", ["test_set"], "a")
    assert with_key(once, "meshes", ["test_set"], "b") == once.replace("test_set: a", "test_set: b")
    assert YAML(typ="safe").load(once)["lines"]["meshes"] == {
        "test_set": "a", "source": {"path": "raw/meshes"}}
