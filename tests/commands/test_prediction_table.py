"""What `hdm predict` writes of each file: tables, regions, overlays and heat maps."""

import csv
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bright_detector import Detector, Seeing
from PIL import Image

from hdm.commands import prediction_table
from hdm.commands.judged_row import Row, summary
from hdm.commands.prediction_table import Judging, Overlays
from hdm.drawing.heatmaps import OUTLINE, heat_picture


def judging(folder: Path, **options: Any) -> Judging:
    return Judging(options.pop("detector", Detector()), "3", "plates, version 3",
                   Detector.region_rule, folder, **options)


def spotted(file: Path, value: int = 255) -> Path:
    """A dark picture of 40 x 30 px with a bright square."""
    pixels = np.zeros((30, 40), np.uint8)
    pixels[5:15, 20:28] = value
    Image.fromarray(pixels).save(file)
    return file


def test_regions_and_the_version_are_in_every_table(tmp_path: Path) -> None:
    files = [spotted(tmp_path / "a.png"), spotted(tmp_path / "b.png", 90)]
    rows = prediction_table.predict_files(judging(tmp_path / "out", detector=Seeing()), files,
                                          lambda *_: None)
    prediction_table.write_tables(rows, tmp_path / "out")
    told = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert {row["model_version"] for row in told} == {"3"}
    assert [len(row["regions"]) for row in told] == [1, 0]
    assert told[0]["regions"][0] == {
        "left": 20, "top": 5, "width": 8, "height": 10, "area": 80, "peak": 1.0,
        "outline": [[20, 5], [20, 15], [28, 15], [28, 5]]}
    with (tmp_path / "out" / "predictions.csv").open(newline="") as stream:
        assert [(row["model_version"], row["regions"]) for row in csv.DictReader(stream)] == [
            ("3", "1"), ("3", "0")]
    with (tmp_path / "out" / "regions.csv").open(newline="") as stream:
        [row] = csv.DictReader(stream)
    assert (row["path"], row["model_version"], row["region"]) == (str(files[0]), "3", "1")
    assert row["outline"] == "20,5 20,15 28,15 28,5"


@pytest.mark.parametrize(("overlays", "count"), [("stopped", 1), ("all", 2), ("none", 0)])
def test_overlays_are_pictures_with_outlines(tmp_path: Path, overlays: str, count: int) -> None:
    files = [spotted(tmp_path / "a.png"), spotted(tmp_path / "b.png", 90)]
    rows = prediction_table.predict_files(
        judging(tmp_path / "out", detector=Seeing(), overlays=Overlays(overlays)), files,
        lambda *_: None)
    written = [row.overlay for row in rows if row.overlay]
    assert len(written) == count
    for name in written:
        green = (np.asarray(Image.open(tmp_path / "out" / name)) == OUTLINE).all(-1).any()
        assert green == (name == rows[0].overlay)


def test_regions_of_good_images_are_told_where_a_level_is_asked_for(tmp_path: Path) -> None:
    [row] = prediction_table.predict_files(
        judging(tmp_path / "out", detector=Seeing(), level=0.2), [spotted(tmp_path / "b.png", 90)],
        lambda *_: None)
    assert row.decision == "good" and len(row.regions.told) == 1


@pytest.mark.parametrize(("decisions", "said"), [
    (["good"] * 9 + ["defect"] * 2 + ["undecidable"],
     "12 images: 9 good, 2 defect, 1 undecidable (version 3)"),
    (["good"], "1 image: 1 good, 0 defect (version 3)"),
    (["", "defect"], "2 images: 0 good, 1 defect, 1 unreadable (version 3)")])
def test_a_summary_counts_verdicts(decisions: list[str], said: str) -> None:
    assert summary([Row("a.png", decision=word) for word in decisions], "version 3") == said


def test_batches_are_bounded_and_rows_keep_the_order(tmp_path: Path) -> None:
    files = []
    for n in range(20):
        files.append(tmp_path / f"{n:02d}.png")
        Image.new("L", (2, 2), n * 12).save(files[-1])
    files[3].write_bytes(b"")
    detector, seen = Detector(), []
    rows = prediction_table.predict_files(judging(tmp_path / "out", detector=detector), files,
                                          lambda done, total: seen.append((done, total)))
    assert detector.batches == [15, 4]
    assert seen == [(16, 20), (20, 20)]
    assert [Path(row.path).name for row in rows] == [file.name for file in files]
    assert rows[3].error and not rows[3].heatmap


def test_long_and_undecodable_names(tmp_path: Path) -> None:
    long = tmp_path / ("名" * 80 + ".png")
    Image.new("L", (2, 2)).save(long)
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.png"))
    Image.new("L", (2, 2)).save(odd)
    rows = prediction_table.predict_files(judging(tmp_path / "out"), [long, odd], lambda *_: None)
    prediction_table.write_tables(rows, tmp_path / "out")
    assert [row.decision for row in rows] == ["good", "good"]
    assert "a\\xff.png" in (tmp_path / "out" / "predictions.csv").read_text(encoding="utf-8")


def test_heat_map_scale_is_fixed() -> None:
    pixel = {value: heat_picture(np.full((2, 3), value, np.float32)).getpixel((0, 0))
             for value in (0.0, 0.5, 1.0, 7.0)}
    assert sum(pixel[0.0]) < sum(pixel[0.5]) < sum(pixel[1.0])
    assert pixel[7.0] == pixel[1.0]


@pytest.mark.parametrize(("paths", "shown"), [
    (["/a/very/long/way/bad/1.png", "/a/very/long/way/good/2.png"], ["bad/1.png", "good/2.png"]),
    (["shots/1.png"], ["1.png"]),
    (["1.png", "shots/2.png"], ["1.png", "shots/2.png"]),
    (["/a/1.png", "b/2.png"], ["/a/1.png", "b/2.png"]),
    (["/a/1.png", "/b/2.tif#3"], ["a/1.png", "b/2.tif#3"]), ([], [])])
def test_the_folders_that_all_images_share_are_not_said_again(
        paths: list[str], shown: list[str]) -> None:
    assert prediction_table._apart(paths) == shown
