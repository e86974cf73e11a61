"""The prediction log: nothing is lost, whoever writes and whatever the clock does."""

import hashlib
import json
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hdm.dataset.appearance import Appearance
from hdm.dataset.images import pixel_hash, read_image
from hdm.detector.decidability import Doubt
from hdm.detector.detector import Prediction
from hdm.errors import HDMError
from hdm.monitoring.log_database import COLUMNS, SCHEMA_VERSION
from hdm.monitoring.prediction_log import PredictionLog
from hdm.settings import Monitor

DAY = 86_400.0


def found(score: float = 0.2, decision: str = "good") -> Prediction:
    return Prediction(score, 0.5, 0.1, decision, 1.0, np.zeros((2, 2), np.float32),
                      Appearance(0.1, 0.2, 0.3))


def picture(number: int, kind: type = np.uint8, shape: tuple[int, ...] = (6, 5)) -> np.ndarray:
    return np.random.default_rng(number).integers(0, np.iinfo(kind).max, shape, dtype=kind)


def test_a_row_says_all_there_is_to_say(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path / "log", Monitor(keep_share=0), clock=lambda: 1_000.5)
    log.record("a.png", "3", "rest", picture(0), found())
    row = log.read().iloc[0].to_dict()
    assert pd.isna(row.pop("part"))
    assert row == {
        "id": 1, "time": 1_000.5, "source": "rest", "model": "3", "name": "a.png",
        "pixel_hash": pixel_hash(picture(0)), "score": 0.2, "p_value": 0.5, "probability": 0.1,
        "threshold": 1.0, "decision": "good", "brightness": 0.1, "contrast": 0.2,
        "sharpness": 0.3, "reason": "", "reasons": "[]", "kept": False}


def test_what_cannot_be_judged_is_recorded_with_its_reason(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path, Monitor())
    log.record_undecidable("b.png", "trained", "cli", "a truncated image")
    log.record("c.png", "trained", "cli", picture(1), found(float("nan")))
    rows = log.read()
    assert list(rows["decision"]) == ["undecidable", "undecidable"]
    assert list(rows["reason"]) == ["a truncated image", "the score is not a number"]
    assert list(rows["reasons"]) == ['["unreadable"]', '["no_score"]']
    assert rows["score"].isna().all()


@pytest.mark.parametrize("codes", [("too_dark",), ("too_dark", "no_contrast"), ("foreign",)])
def test_an_undecidable_picture_is_recorded_with_codes_and_sentences(tmp_path, codes) -> None:
    doubts = tuple(Doubt(code, f"It is {code}.") for code in codes)
    log = PredictionLog(tmp_path, Monitor())
    log.record("a.png", "1", "rest", picture(0),
               replace(found(decision="undecidable"), reasons=doubts))
    row = log.read().iloc[0]
    assert json.loads(row["reasons"]) == list(codes) and row["score"] == 0.2
    assert row["reason"] == " ".join(doubt.sentence for doubt in doubts)


def test_rows_of_one_model_and_a_log_that_is_not_there(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path / "log", Monitor())
    assert list(log.read().columns) == list(COLUMNS) and log.read().empty and log.prune() == 0
    assert not log.folder.exists()
    for model in "121":
        log.record_undecidable("x", model, "cli", "r")
    assert list(log.read("1")["id"]) == [1, 3]
    assert log.read("9").empty
    assert list(log.read(last=2)["id"]) == [2, 3]
    assert list(log.read("1", last=1)["id"]) == [3]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 3), (1, 1), (1, 1, 3)])
def test_kept_images_decode_to_the_same_pixels(tmp_path: Path, kind: type,
                                               shape: tuple[int, ...]) -> None:
    log, image = PredictionLog(tmp_path, Monitor()), picture(3, kind, shape)
    log.record("d", "1", "cli", image, found(2.0, "defect"))
    again = read_image(log.image_file(pixel_hash(image)))
    assert again.dtype == image.dtype
    assert np.array_equal(again, image)
    assert log.read()["kept"].all()


def test_sampling_rule_is_a_share_that_follows_from_the_pixels() -> None:
    digests = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(4_000)]
    log = PredictionLog(Path("nowhere"), Monitor(keep_share=0.1))
    chosen = [log.keeps(digest, "good") for digest in digests]
    assert 320 < sum(chosen) < 480  # 400 +- 4 standard deviations
    assert chosen == [log.keeps(digest, "good") for digest in digests]
    frugal = PredictionLog(Path("nowhere"), Monitor(keep_share=0.1, keep_stopped=False))
    for decision in ("defect", "undecidable"):
        assert all(log.keeps(digest, decision) for digest in digests)
        assert chosen == [frugal.keeps(digest, decision) for digest in digests]
    everything = PredictionLog(Path("nowhere"), Monitor(keep_share=1))
    assert everything.keeps("f" * 64, "good")


def test_old_images_go_and_rows_stay(tmp_path: Path) -> None:
    now = [0.0]
    log = PredictionLog(tmp_path, Monitor(keep_days=2), clock=lambda: now[0])
    for day, number in ((0, 1), (0, 2), (1, 2), (3, 3)):
        now[0] = day * DAY
        log.record("d", "1", "cli", picture(number), found(2.0, "defect"))
    now[0] = 2.5 * DAY
    assert log.prune() == 1  # the second image was seen again on day 1
    assert list(log.read()["kept"]) == [False, True, True, True]
    there = [log.image_file(pixel_hash(picture(number))).is_file() for number in (1, 2, 3)]
    assert there == [False, True, True]
    assert log.prune() == 0


def test_clock_that_jumps_back_breaks_no_order(tmp_path: Path) -> None:
    times = iter([500.0, 20.0, 510.0])
    log = PredictionLog(tmp_path, Monitor(), clock=lambda: next(times))
    for name in "abc":
        log.record_undecidable(name, "1", "cli", "r")
    assert list(log.read()["name"]) == ["a", "b", "c"]
    assert list(log.read()["time"]) == [500.0, 20.0, 510.0]


def test_threads_and_processes_append_at_once(tmp_path: Path) -> None:
    code = ("import sys\nfrom pathlib import Path\n"
            "from hdm.monitoring.prediction_log import PredictionLog\n"
            "from hdm.settings import Monitor\nlog = PredictionLog(Path(sys.argv[1]), Monitor())\n"
            "for n in range(60): log.record_undecidable(f'{sys.argv[2]}-{n}', '1', 'cli', 'r')\n")
    children = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(number)])
                for number in range(3)]
    log = PredictionLog(tmp_path, Monitor())

    def write(thread: int) -> None:
        for number in range(60):
            log.record_undecidable(f"t{thread}-{number}", "1", "rest", "r")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [child.wait(60) for child in children] == [0, 0, 0]
    rows = log.read()
    assert len(rows) == len(set(rows["name"])) == 360
    for writer, names in rows["name"].groupby(rows["name"].str.split("-").str[0]):
        assert list(names) == [f"{writer}-{number}" for number in range(60)]


def test_row_and_image_come_together_or_not_at_all(tmp_path: Path) -> None:
    log, image = PredictionLog(tmp_path, Monitor()), picture(1)
    log.record_undecidable("first", "1", "cli", "r")
    (tmp_path / "images").write_text("in the way")
    with pytest.raises(HDMError, match="cannot write"):
        log.record("d", "1", "cli", image, found(2.0, "defect"))
    assert list(log.read()["name"]) == ["first"]
    (tmp_path / "images").unlink()
    log.record("d", "1", "cli", image, found(2.0, "defect"))
    assert list(log.read()["name"]) == ["first", "d"]


def test_logs_that_cannot_be_used_are_told_in_one_sentence(tmp_path: Path) -> None:
    newer = PredictionLog(tmp_path / "newer", Monitor())
    newer.record_undecidable("a", "1", "cli", "r")
    newer.close()
    connection = sqlite3.connect(newer.file)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(HDMError, match=f"found version {SCHEMA_VERSION + 1}"):
        newer.read()
    damaged = PredictionLog(tmp_path / "damaged", Monitor())
    damaged.folder.mkdir()
    damaged.file.write_bytes(b"no database " * 400)
    with pytest.raises(HDMError, match="is damaged"):
        damaged.record_undecidable("a", "1", "cli", "r")
    (tmp_path / "file").write_text("")
    with pytest.raises(HDMError, match="cannot write"):
        PredictionLog(tmp_path / "file" / "log", Monitor()).record_undecidable("a", "1", "cli", "")
