"""What people say is kept with who, when and why; what must not be learned from is refused."""

import numpy as np
import pytest
import tiny
from PIL import Image
from spoken_line import SIDE, make_line, photograph

from hdm.dataset.feedback_entries import entries_in
from hdm.dataset.images import pixel_hash, read_image, read_mask
from hdm.errors import ConfigError, DataError
from hdm.feedback.admission import Contradiction
from hdm.feedback.saying import Statement, kept_picture, say
from hdm.monitoring.prediction_log import PredictionLog

GOOD, DEFECT = Statement("good", who="ann", why="seen"), Statement("defect", who="bob")


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return make_line(tmp_path_factory.mktemp("known") / "plant")


@pytest.fixture
def line(known):
    """The line, of which nobody has said anything yet."""
    for file in known.feedback.glob("*"):
        file.unlink()
    return known


def mask(top: int = 10, side: int = 6) -> np.ndarray:
    found = np.zeros((SIDE, SIDE), bool)
    found[top:top + side, top:top + side] = True
    return found


def kept(line):
    return sorted(file.name for file in line.feedback.glob("*")) if line.feedback.is_dir() else []


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_defect_is_kept_to_the_last_pixel(line, channels, dtype):
    image = photograph(100, channels, dtype)
    entry = say(line, image, Statement("defect", "scratch", mask(), "bob", "felt it"), name="a.png")
    assert entries_in(line.feedback) == [entry]
    assert np.array_equal(read_image(line.feedback / entry.picture), image)
    assert np.array_equal(read_mask(line.feedback / entry.mask), mask())
    assert (entry.who, entry.why, entry.defect_type) == ("bob", "felt it", "scratch")
    assert entry.when.endswith("+00:00") and entry.score is None


def test_a_good_picture_that_fits_is_kept(line):
    entry = say(line, photograph(101), GOOD)
    assert (entry.verdict, entry.defect_type, entry.masked) == ("good", "good", False)


@pytest.mark.parametrize("image", [
    np.zeros((SIDE, SIDE), np.uint8), np.full((SIDE, SIDE), 255, np.uint8),
    photograph(102)[:20, :20]], ids=["black", "white", "cropped"])
def test_a_good_picture_that_does_not_fit_is_refused(line, image):
    with pytest.raises(DataError, match="cannot join the good images"):
        say(line, image, GOOD)
    assert kept(line) == []


@pytest.mark.parametrize("number", [30, 45, 54], ids=["calibration", "test", "holdout"])
@pytest.mark.parametrize("statement", [GOOD, DEFECT], ids=["good", "defect"])
@pytest.mark.parametrize("change", ["none", "jpeg", "level"])
def test_what_is_measured_on_is_refused(line, tmp_path, number, statement, change):
    image = photograph(number)
    if change == "jpeg":
        Image.fromarray(image).save(tmp_path / "a.jpg", quality=92)
        image = read_image(tmp_path / "a.jpg")
    elif change == "level":
        image = np.clip(image.astype(int) + 1, 0, 255).astype(np.uint8)
    with pytest.raises(DataError, match="measured on"):
        say(line, image, statement, confirmed=True)
    assert kept(line) == []


def test_a_part_that_is_measured_on_is_refused(line):
    with pytest.raises(DataError, match="block-a"):
        say(line, photograph(103), Statement("defect", part="block-a"))
    assert say(line, photograph(103), Statement("defect", part="block-b")).part == "block-b"


def test_a_defect_that_was_trained_on_as_good_asks(line):
    with pytest.raises(Contradiction, match=r"good/03\.png"):
        say(line, photograph(3), DEFECT)
    assert kept(line) == []
    assert say(line, photograph(3), DEFECT, confirmed=True).verdict == "defect"


def test_what_is_good_already_needs_no_word(line):
    with pytest.raises(DataError, match="as good already"):
        say(line, photograph(4), GOOD, confirmed=True)


def test_another_word_on_the_same_picture_asks_and_replaces(line):
    say(line, photograph(104), Statement("defect", mask=mask(), who="bob"))
    with pytest.raises(Contradiction, match="called defect by bob"):
        say(line, photograph(104), GOOD)
    assert [entry.verdict for entry in entries_in(line.feedback)] == ["defect"]
    say(line, photograph(104), GOOD, confirmed=True)
    assert [(entry.verdict, entry.masked) for entry in entries_in(line.feedback)] == \
        [("good", False)]


@pytest.mark.parametrize("statement", [
    Statement("bad"), Statement("good", "scratch"), Statement("good", mask=mask()),
    Statement("defect", "good"), Statement("defect", who="a\nb"),
    Statement("defect", why="x" * 3000)])
def test_a_word_that_makes_no_sense_is_refused(line, statement):
    with pytest.raises(ConfigError):
        say(line, photograph(105), statement)
    assert kept(line) == []


@pytest.mark.parametrize("drawn", [np.zeros((SIDE, SIDE), bool), np.ones((SIDE, 9), bool)],
                         ids=["empty", "of another size"])
def test_a_mask_that_says_nothing_is_refused(line, drawn):
    with pytest.raises(DataError, match="mask"):
        say(line, photograph(106), Statement("defect", mask=drawn))
    assert kept(line) == []


def log(line, image, decision="defect", score=3.0):
    from hdm.dataset.appearance import Appearance
    from hdm.detector.detector import Prediction
    prediction = Prediction(score, 0.01, 0.9, decision, 1.0, np.zeros((SIDE, SIDE), np.float32),
                            Appearance(0.0, 0.1, 0.1))
    book = PredictionLog(line.log_folder, line.params.monitor)
    book.record("cam/7.png", "12", "rest", image, prediction)
    row = int(book.read()["id"].iloc[-1])
    book.close()
    return row


def test_what_was_answered_then_is_kept(line):
    row = log(line, photograph(107))
    for given in (row, None):
        entry = say(line, photograph(107), GOOD, row=given)
        assert (entry.model_version, entry.decision, entry.score, entry.threshold, entry.name) == \
            ("12", "defect", 3.0, 1.0, "cam/7.png")


def test_a_logged_picture_that_was_kept_need_not_be_given(line):
    row = log(line, photograph(108))
    assert pixel_hash(kept_picture(line, row)) == pixel_hash(photograph(108))
    with pytest.raises(DataError, match="not kept"):
        kept_picture(line, log(line, photograph(109), "good"))
    with pytest.raises(DataError, match="#999"):
        kept_picture(line, 999)


def test_a_row_of_another_picture_is_refused(line):
    row = log(line, photograph(110))
    with pytest.raises(DataError, match="another picture"):
        say(line, photograph(111), GOOD, row=row)


def test_a_damaged_entry_is_named(line):
    tiny.write_png(line.feedback / "x.png", photograph(1))
    (line.feedback / "x.json").write_text("{}")
    with pytest.raises(DataError, match=r"x\.json"):
        entries_in(line.feedback)
