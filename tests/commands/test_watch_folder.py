"""`hdm watch`: from a picture that drops to its row, in this process and in one that is killed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from bright_detector import Detector
from filelock import FileLock
from PIL import Image
from recorded_stages import record_outputs
from services import wait_for
from small_split import FakePrediction

from hdm.dataset.appearance import Appearance
from hdm.monitoring.prediction_log import PredictionLog
from hdm.settings import Monitor
from hdm.watching.results_file import rows_of

CHILD = Path(__file__).with_name("watch_child.py")


class Logged(Detector):
    """Its answers have what the log wants."""

    def predict(self, images: list[np.ndarray], batch_size: int = 16) -> list[FakePrediction]:
        found = super().predict(images, batch_size)
        for one in found:
            object.__setattr__(one, "appearance", Appearance(one.score, 0, 0))
        return found


@pytest.fixture
def drop(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two pictures of last year, and a line that answers."""
    import hdm

    monkeypatch.setattr(hdm, "HDM", type("HDM", (), {
        "load": staticmethod(lambda *_, **__: Logged())}), raising=False)
    detector = project / "data" / "plates" / "ddm_train" / "detector"
    detector.mkdir(parents=True)
    (detector / "detector.json").write_text("{}")
    record_outputs(project, "plates")
    folder = project / "drop"
    folder.mkdir()
    for name, value in (("black.png", 0), ("white.png", 255)):
        old(picture(folder / name, value))
    return folder


def picture(file: Path, value: int) -> Path:
    Image.new("L", (6, 4), value).save(file, format="PNG")
    return file


def old(file: Path) -> Path:
    os.utime(file, (1.7e9, 1.7e9))
    return file


def results(project: Path) -> list[dict[str, str]]:
    file = project / "data" / "plates" / "watch" / "results.csv"
    return list(rows_of(file)) if file.exists() and file.stat().st_size else []


def test_what_is_there_is_judged_once(hdm, project, drop) -> None:
    found = hdm("watch", "drop", "plates", "--once", "--lot", "A7")
    assert found.code == 0, found.err
    assert "2 images: 1 good, 1 defect (the detector that was trained last)" in found.out
    assert "hdm lot plates --lot A7" in found.out
    assert [(row["path"], row["decision"], row["lot"]) for row in results(project)] == [
        ("black.png", "good", "A7"), ("white.png", "defect", "A7")]
    assert sorted(file.name for file in drop.iterdir()) == ["black.png", "white.png"]
    again = hdm("watch", "drop", "plates", "--once")
    assert "0 images: 0 good, 0 defect" in again.out
    assert len(results(project)) == 2


@pytest.mark.parametrize(("options", "count"), [((), 2), (("--no-log",), 0)])
def test_predictions_are_logged_for_the_monitor(hdm, project, drop, options, count) -> None:
    assert hdm("watch", "drop", "plates", "--once", *options).code == 0
    rows = PredictionLog(project / "data" / "plates" / "log", Monitor()).read()
    assert list(rows["source"]) == ["watch"] * count


def test_a_log_that_is_damaged_stops_no_verdict(hdm, project, drop) -> None:
    log = project / "data" / "plates" / "log"
    log.mkdir(parents=True)
    (log / "predictions.db").write_text("no database at all" * 100)
    found = hdm("watch", "drop", "plates", "--once")
    assert found.code == 0 and len(results(project)) == 2
    assert found.out.count("not logged for `hdm monitor`") == 1


def test_a_picture_that_cannot_be_read_is_an_exit_code(hdm, project, drop) -> None:
    (drop / "bad.png").write_text("hello")
    old(drop / "bad.png")
    found = hdm("watch", "drop", "plates", "--once")
    assert found.code == 1
    assert "1 unreadable" in found.out and "found a text file" in found.out


@pytest.mark.parametrize(("arguments", "code", "said"), [
    (("gone", "plates"), 2, "expected a folder at gone, found none"),
    (("drop", "bolts"), 2, "no product line 'bolts'"),
    (("drop", "plates", "--output", "drop/out"), 2, "inside the watched folder, which is never"),
    (("drop", "meshes"), 2, "train it with `hdm run meshes`"),
    (("drop", "plates", "--version", "3"), 6, "there is no registry at")])
def test_what_cannot_be_done_is_one_sentence(hdm, project, drop, arguments, code, said) -> None:
    found = hdm("watch", *arguments, "--once")
    assert found.code == code
    assert said in found.err and found.err.count("\n") == 1
    assert sorted(file.name for file in drop.iterdir()) == ["black.png", "white.png"]


def test_two_watchers_do_not_share_results(hdm, project, drop) -> None:
    (project / "out").mkdir()
    with FileLock(project / "out" / ".watch.lock"):
        found = hdm("watch", "drop", "plates", "--once", "--output", "out")
    assert found.code == 2 and "another `hdm watch` writes to out" in found.err


def test_it_follows_the_champion(hdm, project, drop, monkeypatch) -> None:
    from hdm.commands import followed_model
    from hdm.registry import fetch

    monkeypatch.setattr(followed_model, "POLL", 0.0)
    live = ["3"]
    monkeypatch.setattr(fetch, "live_version", lambda line: live[0])
    monkeypatch.setattr(fetch, "fetch", lambda line, uri, into: fetch.Fetched(
        uri.rpartition("/")[2], project / "data/plates/ddm_train/detector"))
    hdm("watch", "drop", "plates", "--once")
    live[0] = "4"
    old(picture(drop / "grey.png", 90))
    hdm("watch", "drop", "plates", "--once")
    hdm("watch", "drop", "plates", "--once", "--version", "3")
    assert [row["model_version"] for row in results(project)] == ["3", "3", "4"]


def test_a_promotion_is_followed_and_a_broken_one_is_told_once(project, drop, monkeypatch) -> None:
    from hdm.commands.followed_model import FollowedModel
    from hdm.errors import RegistryError
    from hdm.line import Line
    from hdm.registry import fetch
    from hdm.registry.answering import Choice

    live, now = ["3"], [0.0]
    monkeypatch.setattr(fetch, "live_version", lambda line: live[0])

    def fetched(line, uri, into):
        if uri.endswith("/5"):
            raise RegistryError("version 5 is damaged.")
        return fetch.Fetched(uri.rpartition("/")[2], project / "data/plates/ddm_train/detector")

    monkeypatch.setattr(fetch, "fetch", fetched)
    model = FollowedModel(Line.load("plates"), Choice(), lambda: now[0])
    live[0] = "4"
    assert model.look() == "" and model.version == "3", "it is not time yet"
    now[0] += 10
    assert model.look() == "version 4 judges in place of version 3"
    live[0] = "5"
    said = []
    for _ in range(20):
        now[0] += 10
        said.append(model.look())
    assert [text for text in said if text] == [
        "version 5 is damaged. Version 4 goes on judging."]
    live[0] = "6"
    now[0] += 100
    assert model.look() == "version 6 judges in place of version 4"


def more_than(project: Path, count: int) -> bool:
    return len(results(project)) > count


def child(project: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(
        [str(CHILD.parents[2]), str(CHILD.parents[1]), str(CHILD.parent)])}
    return subprocess.Popen(
        [sys.executable, str(CHILD), "watch", "drop", "plates", "--every", "0.05", "--no-log"],
        cwd=project, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_end_it_says_what_it_did(project, drop, number) -> None:
    process = child(project)
    wait_for(lambda: len(results(project)) == 2, 60, "both pictures are judged")
    process.send_signal(number)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert said.splitlines()[-1].startswith("2 images: 1 good, 1 defect")


@pytest.mark.slow
def test_killed_at_any_moment_no_row_is_lost_or_doubled(project, drop) -> None:
    chance = random.Random(7)
    wanted = {"black.png", "white.png"}
    for turn in range(10):
        for number in range(40):
            name = f"{turn}_{number}.png"
            picture(drop / f"{name}.part", chance.randrange(256))
            old(drop / f"{name}.part").rename(drop / name)
            wanted.add(name)
        process = child(project)
        wait_for(partial(more_than, project, len(results(project))), 60, "it is at work")
        time.sleep(chance.random() * 0.5)
        process.kill()
        process.wait()
    process = child(project)
    wait_for(lambda: len(results(project)) >= len(wanted), 60, "all pictures are judged")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    counts = Counter(row["path"] for row in results(project))
    assert set(counts) == wanted and set(counts.values()) == {1}
    drawn = {row["overlay"] for row in results(project) if row["overlay"]}
    there = {f"overlays/{file.name}" for file in
             (project / "data/plates/watch/overlays").iterdir()}
    assert there == drawn
    assert json.dumps(sorted(int(row["number"]) for row in results(project))) == json.dumps(
        list(range(1, len(wanted) + 1)))
