"""An intake that is killed anywhere is finished by the next one; nothing is lost or taken twice."""

import csv
import json
from pathlib import Path

import pytest
from image_files import mask, pixels, write

from hdm import files
from hdm.errors import HDMError
from hdm.inbox import intake as room
from hdm.inbox.intake import Intake, file_digest, records
from hdm.inbox.intake_plan import Accepted, Plan, Refused, Step


@pytest.fixture
def intake(tmp_path):
    found = Intake(tmp_path / "inbox", tmp_path / "source", tmp_path / "data")
    write(found.inbox / "good/a.png", pixels(1))
    write(found.inbox / "dent/b.png", pixels(2))
    mask(found.inbox / "ground_truth/dent/b.png")
    (found.inbox / "good/c.png").write_text("no image")
    return found


def step(intake, origin, target):
    return Step(origin=origin, target=target, digest=file_digest(intake.inbox, origin))


def plan_of(intake):
    return Plan(id="7", time="2025-07-01T12:00:00+00:00", accepted=(
        Accepted(image=step(intake, "good/a.png", "good/a.png"), masks=(), defect_type="good",
                 pixels="p1"),
        Accepted(image=step(intake, "dent/b.png", "dent/b-12.png"), defect_type="dent", pixels="p2",
                 masks=(step(intake, "ground_truth/dent/b.png",
                             "ground_truth/dent/b-12_mask.png"),))),
        refused=(Refused(file=step(intake, "good/c.png", "2025-07-01/good/c.png"),
                         reason='No "image", alas.'),))


def tree(folder):
    return {file.relative_to(folder).as_posix(): file.read_bytes()
            for file in sorted(folder.rglob("*")) if file.is_file()}


def test_files_arrive_and_leave_and_a_record_stays(intake):
    before = tree(intake.inbox)
    versions = []
    record = intake.carry_out(plan_of(intake), lambda: versions.append(tree(intake.source)) or "v1")
    assert tree(intake.source) == versions[0] == {
        "good/a.png": before["good/a.png"], "dent/b-12.png": before["dent/b.png"],
        "ground_truth/dent/b-12_mask.png": before["ground_truth/dent/b.png"]}
    assert tree(intake.inbox) == {}
    assert (intake.quarantine / "2025-07-01/good/c.png").read_text() == "no image"
    assert list(csv.reader((intake.quarantine / "2025-07-01/reasons.csv").open())) == [
        ["file", "reason", "from"], ["good/c.png", 'No "image", alas.', "good/c.png"]]
    assert records(intake.record_file) == [record]
    assert record["counts"] == {"accepted": 2, "good": 1, "defective": 1, "refused": 1}
    assert record["data_version"] == "v1"
    assert [entry["sha256"] for entry in record["accepted"]] == ["p1", "p2"]
    assert record["accepted"][1]["masks"] == ["ground_truth/dent/b-12_mask.png"]
    assert intake.unfinished() is None


class Killed(BaseException):
    """As SIGKILL, but nothing tidies up only because the test looks after it."""


def trap(patch, number):
    """Die before the nth change of the disk."""
    count = [0]

    def trapped(original):
        def act(*arguments, **options):
            count[0] += 1
            if count[0] == number:
                raise Killed
            return original(*arguments, **options)
        return act

    for owner, name in ((Path, "replace"), (Path, "unlink"), (room, "append_text"),
                        (room.shutil, "copyfileobj"), (room.beneath, "remove")):
        patch.setattr(owner, name, trapped(getattr(owner, name)))
    return count


def test_killed_anywhere_it_is_finished_by_the_next_one(intake, tmp_path, monkeypatch):
    before, plan = tree(intake.inbox), plan_of(intake)
    intake.carry_out(plan, lambda: "v1")
    finished = tree(tmp_path)
    number = 0
    while True:
        number += 1
        for file in [file for file in tmp_path.rglob("*") if file.is_file()]:
            file.unlink()
        for name, content in before.items():
            (intake.inbox / name).write_bytes(content)
        with monkeypatch.context() as patch:
            trap(patch, number)
            try:
                intake.carry_out(plan, lambda: "v1")
                break
            except Killed:
                pass
        everything = set(tree(tmp_path).values())
        assert set(before.values()) <= everything, number
        left = intake.unfinished() or plan  # killed before the plan was written: planned again
        intake.carry_out(left, lambda: "v1")
        assert {name: content for name, content in tree(tmp_path).items()
                if not name.endswith(".tmp")} == finished, number
    assert number > 12


def test_no_loss_of_power_brings_back_what_was_taken(intake, monkeypatch):
    """All folders are on the disk without it before the plan, which tells it from new files, goes.
    """
    waited, original = [], room.sync
    monkeypatch.setattr(room, "sync", lambda folder: (
        waited.append((folder, intake.plan_file.is_file(), tree(folder))), original(folder)))
    intake.carry_out(plan_of(intake), lambda: "v1")
    assert {folder.relative_to(intake.inbox).as_posix() for folder, _, _ in waited} == {
        "good", "dent", "ground_truth/dent"}
    assert all(planned and not left for _, planned, left in waited)


def test_a_failed_data_version_is_made_by_the_next_one(intake):
    def fails():
        raise HDMError("DVC is busy")

    with pytest.raises(HDMError, match="busy"):
        intake.carry_out(plan_of(intake), fails)
    assert len(tree(intake.inbox)) == 4
    assert not records(intake.record_file)
    left = intake.unfinished()
    assert left == plan_of(intake)
    assert intake.carry_out(left, lambda: "v2")["data_version"] == "v2"
    assert tree(intake.inbox) == {}


def test_a_file_that_changed_after_the_check_stays(intake):
    plan = plan_of(intake)
    write(intake.inbox / "good/a.png", pixels(50))
    record = intake.carry_out(plan, lambda: "")
    assert record["counts"]["accepted"] == 1
    assert list(tree(intake.inbox)) == ["good/a.png"]
    assert "good/a.png" not in tree(intake.source)


def test_a_new_file_under_a_taken_name_stays(intake, monkeypatch):
    """The camera writes the same name again between the record and the removal."""
    plan = plan_of(intake)

    def recorded(file, text):
        files.append_text(file, text)
        if file == intake.record_file:
            write(intake.inbox / "good/a.png", pixels(51))

    monkeypatch.setattr(room, "append_text", recorded)
    intake.carry_out(plan, lambda: "")
    assert list(tree(intake.inbox)) == ["good/a.png"]
    assert len(tree(intake.source)) == 3


def test_a_target_that_another_took_meanwhile_is_not_overwritten(intake):
    plan = plan_of(intake)
    write(intake.source / "good/a.png", pixels(52))
    theirs = tree(intake.source)["good/a.png"]
    assert intake.carry_out(plan, lambda: "")["counts"]["accepted"] == 1
    assert tree(intake.source)["good/a.png"] == theirs
    assert list(tree(intake.inbox)) == ["good/a.png"]


def test_full_disk_is_one_sentence_and_goes_on_later(intake, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(room.shutil, "copyfileobj", full)
        with pytest.raises(HDMError, match="No space left on device"):
            intake.carry_out(plan_of(intake), lambda: "")
    assert tree(intake.source) == {}
    left = intake.unfinished()
    assert intake.carry_out(left, lambda: "")["counts"]["accepted"] == 2


def test_records_are_appended_and_a_cut_one_is_passed_over(intake):
    intake.folder.mkdir()
    intake.record_file.write_text('{"id": "1", "accepted": []}\n{"id": "2", "acc')
    intake.carry_out(plan_of(intake), lambda: "")
    assert [entry["id"] for entry in records(intake.record_file)] == ["1", "7"]
    assert len(intake.record_file.read_text().splitlines()) == 3


def test_nothing_that_could_be_taken_leaves_no_record(intake):
    plan = plan_of(intake)
    for file in list(intake.inbox.rglob("*.png")):
        file.unlink()
    assert intake.carry_out(plan, lambda: "")["counts"]["accepted"] == 0
    assert not intake.record_file.exists()


def test_a_damaged_plan_is_one_sentence(intake):
    intake.plan_file.parent.mkdir(parents=True)
    intake.plan_file.write_text(json.dumps({"id": 3}))
    with pytest.raises(HDMError, match="not a readable plan; delete it"):
        intake.unfinished()
