"""No file operation of an inbox leaves it: what a link leads to is neither read, copied nor
deleted."""

import stat

import pytest
from image_files import pixels, write

from hdm.inbox import beneath
from hdm.inbox.contents import look
from hdm.inbox.intake import Intake, file_digest
from hdm.inbox.intake_plan import Accepted, Plan, Step


@pytest.fixture
def intake(tmp_path):
    write(tmp_path / "private/good/secret.png", pixels(3))
    write(tmp_path / "inbox/good/a.png", pixels(1))
    return Intake(tmp_path / "inbox", tmp_path / "source", tmp_path / "data")


def plan(intake, origin):
    step = Step(origin=origin, target=origin, digest=file_digest(intake.inbox, origin))
    return Plan(id="7", time="2026-01-01T12:00:00+00:00", accepted=(
        Accepted(image=step, masks=(), defect_type="good", pixels="p"),))


def to_folder(intake, outside):
    (intake.inbox / "scratch").symlink_to(outside / "good", target_is_directory=True)
    return "scratch/secret.png"


def to_file(intake, outside):
    (intake.inbox / "good/b.png").symlink_to(outside / "good/secret.png")
    return "good/b.png"


def to_parent(intake, outside):
    (intake.inbox / "dent").mkdir()
    (intake.inbox / "dent/up").symlink_to("../../private", target_is_directory=True)
    return "dent/up/good/secret.png"


def to_a_link(intake, outside):
    (intake.inbox.parent / "hop").symlink_to(outside, target_is_directory=True)
    (intake.inbox / "scratch").symlink_to(intake.inbox.parent / "hop", target_is_directory=True)
    return "scratch/good/secret.png"


LINKS = [to_folder, to_file, to_parent, to_a_link]


@pytest.mark.parametrize("link", LINKS)
def test_what_a_link_leads_to_waits_where_it_is(intake, link):
    path = link(intake, intake.inbox.parent / "private")
    found = look(intake.inbox)
    assert [record.path for record in found.images] == ["good/a.png"]
    assert any("put the file itself here" in why for why in found.waiting.values())
    assert not found.not_images and file_digest(intake.inbox, path) == ""


@pytest.mark.parametrize("link", LINKS)
def test_a_link_that_came_after_the_check_takes_and_deletes_nothing(intake, link):
    outside = intake.inbox.parent / "private"
    secret = outside / "good/secret.png"
    secret.chmod(0o600)
    path = link(intake, outside)
    step = Step(origin=path, target="good/new.png", digest=file_digest(secret.parent, secret.name))
    record = intake.carry_out(Plan(id="8", time="2026-01-01T12:00:00+00:00", accepted=(
        Accepted(image=step, masks=(), defect_type="good", pixels="p"),)), lambda: "")
    assert record["counts"]["accepted"] == 0
    assert secret.exists() and not (intake.source / "good/new.png").exists()


def test_a_folder_that_became_a_link_after_the_copy_loses_nothing(intake):
    outside = write(intake.inbox.parent / "private/good/a.png", pixels(1))

    def swap():
        (intake.inbox / "good").rename(intake.inbox.parent / "moved")
        (intake.inbox / "good").symlink_to(outside.parent, target_is_directory=True)
        return "v1"

    intake.carry_out(plan(intake, "good/a.png"), swap)
    assert outside.exists() and (intake.source / "good/a.png").exists()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o644])
def test_a_copy_has_the_mode_of_its_original(intake, mode):
    (intake.inbox / "good/a.png").chmod(mode)
    intake.carry_out(plan(intake, "good/a.png"), lambda: "v1")
    assert stat.S_IMODE((intake.source / "good/a.png").stat().st_mode) == mode


@pytest.mark.parametrize("path", [
    "../private/good/secret.png", "good/../../private/good/secret.png", "/etc/passwd", "", ".."])
def test_no_name_leads_out(intake, path):
    assert file_digest(intake.inbox, path) == ""
    with pytest.raises(FileNotFoundError), beneath.opened(intake.inbox, path):
        pass
