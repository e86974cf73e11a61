"""`hdm feedback`: kept, listed, asked back, refused."""

import numpy as np
import pytest
import tiny

from hdm.cli import app
from hdm.dataset.feedback_entries import entries_in
from hdm.feedback import saying
from hdm.feedback.admission import Contradiction
from hdm.line import Line


@pytest.fixture
def line(tmp_path, monkeypatch):
    monkeypatch.setattr(saying, "admit", lambda *_, **__: None)
    monkeypatch.setattr(saying, "check_fits", lambda *_: None)
    project = tiny.write_project(tmp_path / "plant")
    monkeypatch.chdir(project)
    rng = np.random.default_rng(0)
    tiny.write_png(project / "a.png", rng.integers(0, 255, (20, 30), dtype=np.uint8))
    mask = np.zeros((20, 30), np.uint8)
    mask[4:8, 4:8] = 255
    tiny.write_png(project / "m.png", mask)
    return Line.load("plate", project)


def hdm(*arguments):
    app(["feedback", "plate", *arguments], standalone_mode=False)


@pytest.mark.parametrize(("arguments", "kind", "masked"), [
    (["a.png", "good"], "good", False),
    (["a.png", "defect"], "defect", False),
    (["a.png", "defect", "--type", "dent", "--mask", "m.png"], "dent", True)])
def test_a_word_is_kept_and_listed(line, capsys, arguments, kind, masked):
    hdm(*arguments, "--who", "ann", "--why", "by eye")
    (entry,) = entries_in(line.feedback)
    assert (entry.defect_type, entry.masked) == (kind, masked)
    assert (entry.who, entry.why) == ("ann", "by eye")
    assert "hdm run plate" in capsys.readouterr().out
    hdm()
    listed = capsys.readouterr().out
    assert entry.id in listed and kind in listed and "ann by eye" in listed


def test_a_question_names_the_answer(line, monkeypatch):
    def ask(*_, confirmed):
        if not confirmed:
            raise Contradiction("really?")

    monkeypatch.setattr(saying, "admit", ask)
    with pytest.raises(Contradiction, match="--confirm"):
        hdm("a.png", "defect")
    hdm("a.png", "defect", "--confirm")
    assert len(entries_in(line.feedback)) == 1


@pytest.mark.parametrize("arguments", [
    ["b.png", "good"], ["a.png", "bad"], ["a.png"], ["#x", "good"], ["#7", "good"],
    ["a.png", "good", "--mask", "m.png"], ["a.png", "defect", "--mask", "b.png"]])
def test_what_makes_no_sense_is_one_sentence(line, arguments):
    from hdm.errors import HDMError
    with pytest.raises(HDMError) as refused:
        hdm(*arguments)
    assert len(str(refused.value).splitlines()) == 1
    assert entries_in(line.feedback) == []
