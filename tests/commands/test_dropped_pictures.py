"""What drops into a folder is judged once, whatever happens meanwhile."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from bright_detector import Seeing
from PIL import Image

from hdm.commands.dropped_pictures import PATIENCE, Watcher, Writing
from hdm.commands.prediction_table import Overlays
from hdm.dataset.part_rule import part_reader
from hdm.watching.dropped_files import DroppedFiles
from hdm.watching.results_file import RESULTS, ResultsFile, rows_of


class Model:
    """A version that judges; `news` is said at the next look."""

    def __init__(self) -> None:
        self.detector: Any = Seeing()
        self.version, self.news = "3", ""

    def look(self) -> str:
        news, self.news = self.news, ""
        return news


class Drop:
    """A folder and its watcher. `turn()` puts the clock on by three seconds and looks."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.output = folder / "drop", folder / "out"
        self.folder.mkdir()
        self.said: list[str] = []
        self.now, self.model, self.stop = 1000.0, Model(), False
        self.start()

    def start(self) -> None:
        """A new process: all that it knows is on the disk."""
        results = ResultsFile(self.output / RESULTS, "plates")
        self.watcher = Watcher(
            "plates", DroppedFiles(self.folder, results.known, clock=lambda: self.now), results,
            self.model, Writing(self.output, "A7", Overlays.STOPPED, False,
                                part_reader("{part}_*"), None),
            self.said.append, lambda: self.stop)

    def turn(self, seconds: float = 3) -> list[str]:
        """The pictures of all rows so far."""
        self.watcher.turn()
        self.now += seconds
        self.watcher.turn()
        file = self.output / RESULTS
        return [row["path"] for row in rows_of(file)] \
            if file.exists() and file.stat().st_size else []

    def picture(self, name: str, value: int = 0) -> Path:
        file = self.folder / name
        file.parent.mkdir(exist_ok=True)
        pixels = np.zeros((30, 40), np.uint8)
        pixels[5:15, 20:28] = value
        Image.fromarray(pixels).save(file)
        return file

    def rows(self) -> list[dict[str, str]]:
        return list(rows_of(self.output / RESULTS))


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    return Drop(tmp_path)


def test_a_picture_has_its_row_and_one_that_is_not_good_its_overlay(drop: Drop) -> None:
    drop.picture("P1_a.png"), drop.picture("P2_a.png", 255)
    assert sorted(drop.turn()) == ["P1_a.png", "P2_a.png"]
    good, bad = sorted(drop.rows(), key=lambda row: row["path"])
    assert (good["decision"], bad["decision"]) == ("good", "defect")
    assert (bad["places"], bad["part"], bad["lot"]) == ("8 x 10 px at 20, 5", "P2", "A7")
    assert bad["model_version"] == "3" and good["overlay"] == ""
    assert [file.name for file in (drop.output / "overlays").iterdir()] == [
        Path(bad["overlay"]).name]
    assert not (drop.output / "heatmaps").exists()
    assert any("P2_a.png" in line and "8 x 10 px" in line for line in drop.said)
    assert dict(drop.watcher.counts) == {"good": 1, "defect": 1}


def test_nothing_is_judged_twice_also_by_a_later_process(drop: Drop) -> None:
    file = drop.picture("a.png")
    for _ in range(3):
        assert drop.turn() == ["a.png"]
        drop.start()
    file.touch()  # other time, same content
    assert drop.turn() == ["a.png"]
    drop.picture("sub/a.png")
    assert drop.turn() == ["a.png", "sub/a.png"], "another name is another picture"
    drop.picture("a.png", 255)
    assert drop.turn() == ["a.png", "sub/a.png", "a.png"], "so is other content"
    assert [row["number"] for row in drop.rows()] == ["1", "2", "3"]


def test_half_a_picture_is_waited_for(drop: Drop) -> None:
    whole = drop.picture("a.png").read_bytes()
    (drop.folder / "a.png").write_bytes(whole[:60])
    assert drop.turn() == []
    assert drop.turn(PATIENCE - 4) == [], "it stands still, as the network does"
    (drop.folder / "a.png").write_bytes(whole)
    assert drop.turn() == ["a.png"]
    assert drop.rows()[0]["decision"] == "good"


def test_a_bad_picture_is_told_and_the_others_are_judged(drop: Drop) -> None:
    (drop.folder / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    drop.picture("a.png")
    assert drop.turn() == ["a.png"]
    assert drop.turn(PATIENCE) == ["a.png", "bad.png"]
    assert "expected a PNG" in drop.rows()[1]["error"] and drop.rows()[1]["decision"] == ""
    drop.start()
    assert drop.turn(PATIENCE) == ["a.png", "bad.png"]
    assert sum("unreadable" in line for line in drop.said) == 1


def test_a_picture_that_breaks_the_detector_does_not_take_the_others_along(drop: Drop) -> None:
    class Breaking(Seeing):
        def predict(self, images: Sequence[np.ndarray], batch_size: int = 16) -> Any:
            if any(image.max() == 77 for image in images):
                raise RuntimeError("no such size")
            return super().predict(images, batch_size)

    drop.model.detector = Breaking()
    for name, value in (("a.png", 0), ("b.png", 77), ("c.png", 255)):
        drop.picture(name, value)
    assert len(drop.turn()) == 3
    found = {row["path"]: (row["decision"], row["error"]) for row in drop.rows()}
    assert found["a.png"][0] == "good" and found["c.png"][0] == "defect"
    assert "b.png: cannot be judged: unexpected RuntimeError: no such size" in found["b.png"][1]


def test_each_page_of_a_stack_is_a_picture(drop: Drop) -> None:
    pages = [Image.fromarray(np.full((20, 20), 10 * number, np.uint8)) for number in range(20)]
    pages[0].save(drop.folder / "s.tif", save_all=True, append_images=pages[1:])
    assert drop.turn() == [f"s.tif#{number}" for number in range(1, 21)]
    drop.start()
    assert len(drop.turn()) == 20


def test_pages_that_a_kill_left_out_are_judged_later(drop: Drop) -> None:
    pages = [Image.fromarray(np.full((20, 20), 10 * number, np.uint8)) for number in range(4)]
    pages[0].save(drop.folder / "s.tif", save_all=True, append_images=pages[1:])
    drop.turn()
    file = drop.output / RESULTS
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:3]))
    drop.start()
    assert drop.turn() == [f"s.tif#{number}" for number in range(1, 5)]


def test_a_folder_that_vanishes_is_told_once_and_waited_for(drop: Drop) -> None:
    drop.picture("a.png")
    drop.turn()
    drop.folder.rename(drop.folder.with_name("unmounted"))
    for _ in range(3):
        drop.turn()
    assert sum("is waited for" in line for line in drop.said) == 1
    drop.folder.with_name("unmounted").rename(drop.folder)
    drop.picture("b.png")
    assert drop.turn() == ["a.png", "b.png"]
    assert drop.said.count("it works again") == 1


def test_results_that_cannot_be_written_are_told_once_and_nothing_is_lost(
        drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    from hdm.watching import results_file

    drop.picture("a.png")
    with monkeypatch.context() as patched:
        def full(number: int) -> None:
            raise OSError(28, "No space left on device")

        patched.setattr(results_file, "os", SimpleNamespace(
            **{**vars(results_file.os), "fsync": full}))
        drop.turn(), drop.turn()
    assert sum("No space left" in line for line in drop.said) == 1
    assert drop.turn() == ["a.png"]


def test_another_live_version_is_told_and_named_in_the_rows(drop: Drop) -> None:
    drop.picture("a.png")
    drop.turn()
    drop.picture("b.png")
    drop.model.version, drop.model.news = "4", "version 4 judges in place of version 3"
    drop.turn()
    assert [row["model_version"] for row in drop.rows()] == ["3", "4"]
    assert "version 4 judges in place of version 3" in drop.said


def test_what_is_no_picture_is_told_once(drop: Drop) -> None:
    (drop.folder / "notes.txt").write_text("x")
    (drop.folder / "b.png").symlink_to(drop.picture("a.png"))
    drop.turn(), drop.turn()
    assert sum("waits: b.png: it is a link" in line for line in drop.said) == 1
    assert [row["path"] for row in drop.rows()] == ["a.png"]
    assert [line for line in drop.said if "left aside" in line] == [
        "left aside: 1 file *.txt is not read: notes.txt."]


def test_the_folder_stays_as_it_is(drop: Drop) -> None:
    drop.picture("a.png", 255)
    before = {file: file.stat() for file in drop.folder.rglob("*")}
    drop.turn()
    assert {file: file.stat().st_mtime_ns for file in drop.folder.rglob("*")} == {
        file: status.st_mtime_ns for file, status in before.items()}
    shutil.rmtree(drop.folder)


def test_who_asks_to_end_waits_for_no_further_batch(drop: Drop) -> None:
    for number in range(20):
        drop.picture(f"{number}.png")
    drop.watcher.turn()
    drop.now += 3
    drop.watcher.stopped = lambda: bool(drop.watcher.counts)
    drop.watcher.turn()
    assert len(drop.rows()) == 16
