"""A person says of single files in an inbox what they show, or that they stay out."""

import pytest
from image_files import pixels, write

from hdm.errors import ConfigError, HDMError
from hdm.inbox.by_hand import give_label, rejection
from hdm.inbox.contents import look
from hdm.inbox.intake import Intake


@pytest.fixture
def intake(tmp_path):
    for number, name in enumerate(("loose.png", "other.png", "good/a.png", "dent/d.png",
                                   "ground_truth/dent/d.png")):
        write(tmp_path / "inbox" / name, pixels(number) if "truth" not in name
              else pixels(9) // 255 * 255)
    (tmp_path / "inbox/notes.txt").write_text("x")
    return Intake(tmp_path / "inbox", tmp_path / "source", tmp_path / "data")


def seen(intake):
    return look(intake.inbox, settling=0)


def test_an_image_without_a_label_goes_into_the_folder_of_its_own(intake):
    give_label(intake, seen(intake), "loose.png", "good")
    give_label(intake, seen(intake), "other.png", "new kind")
    labels = {record.path: record.defect_type for record in seen(intake).images}
    assert labels["good/loose.png"] == "good"
    assert labels["new kind/other.png"] == "new kind"
    assert not (intake.inbox / "loose.png").exists()


def test_a_label_never_writes_over_another_picture(intake):
    write(intake.inbox / "good/loose.png", pixels(7))
    before = (intake.inbox / "good/loose.png").read_bytes()
    with pytest.raises(HDMError, match="its name is taken there"):
        give_label(intake, seen(intake), "loose.png", "good")
    assert (intake.inbox / "good/loose.png").read_bytes() == before
    assert (intake.inbox / "loose.png").is_file()


@pytest.mark.parametrize(("path", "label"), [
    ("good/a.png", "dent"), ("gone.png", "good"), ("../secret.png", "good"),
    ("loose.png", "../out"), ("loose.png", "ground_truth"), ("loose.png", ""),
    ("loose.png", ".hidden")])
def test_what_is_no_label_or_no_waiting_file_moves_nothing(intake, path, label):
    write(intake.inbox.parent / "secret.png", pixels(5))
    files = sorted(intake.inbox.parent.rglob("*"))
    with pytest.raises(ConfigError):
        give_label(intake, seen(intake), path, label)
    assert sorted(intake.inbox.parent.rglob("*")) == files


def test_a_folder_that_leads_elsewhere_is_not_moved_into(intake, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (intake.inbox / "stain").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(HDMError, match="cannot be put into stain/"):
        give_label(intake, seen(intake), "loose.png", "stain")
    assert (intake.inbox / "loose.png").is_file()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_rejected_files_are_in_quarantine_with_the_reason_and_their_masks(intake):
    plan = rejection(intake, seen(intake), ["dent/d.png", "notes.txt"], "not of this line (ann)")
    record = intake.carry_out(plan, lambda: "")
    assert {one["from"]: one["reason"] for one in record["refused"]} == dict.fromkeys(
        ("dent/d.png", "ground_truth/dent/d.png", "notes.txt"),
        "Rejected: not of this line (ann).")
    day = intake.quarantine / plan.time[:10]
    assert (day / "dent/d.png").is_file() and (day / "notes.txt").is_file()
    assert not (intake.inbox / "dent/d.png").exists()
    assert (intake.inbox / "good/a.png").is_file()


@pytest.mark.parametrize(("paths", "reason"), [
    (["gone.png"], "x"), (["../secret.png"], "x"), (["good/a.png"], "  ")])
def test_what_is_not_there_or_has_no_reason_is_not_rejected(intake, paths, reason):
    with pytest.raises(ConfigError):
        rejection(intake, seen(intake), paths, reason)
