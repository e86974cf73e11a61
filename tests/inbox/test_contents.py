"""What is seen in an inbox, and what is left for the next time."""

import os
import threading
import time

import pytest
from image_files import mask, pixels, write

from hdm.dataset.images import KINDS
from hdm.errors import ConfigError
from hdm.inbox.contents import check_label, look


def old(inbox):
    """Let every file be an hour old, so that nothing is waited for."""
    for file in inbox.rglob("*"):
        os.utime(file, (time.time() - 3600,) * 2)


@pytest.fixture
def inbox(tmp_path):
    write(tmp_path / "good/a.png", pixels(1))
    write(tmp_path / "good/monday/a.png", pixels(2))
    write(tmp_path / "dent/b.png", pixels(3))
    mask(tmp_path / "ground_truth/dent/b_mask.png")
    old(tmp_path)
    return tmp_path


def test_labels_and_masks_are_those_of_the_folders(inbox):
    found = look(inbox)
    assert [(r.path, r.defect_type, r.masks) for r in found.images] == [
        ("dent/b.png", "dent", ("ground_truth/dent/b_mask.png",)),
        ("good/a.png", "good", ()), ("good/monday/a.png", "good", ())]
    assert not found.not_images
    assert not found.waiting


def test_images_without_a_label_wait_until_somebody_gives_one(inbox):
    write(inbox / "loose.png", pixels(4))
    old(inbox)
    assert look(inbox).waiting["loose.png"].startswith("it has no label: put it into good/")
    found = look(inbox, "good")
    assert not found.waiting
    assert ("loose.png", "good") in [(r.path, r.defect_type) for r in found.images]


def test_other_files_are_strange_and_hidden_ones_unseen(inbox):
    for name in ("good/note.txt", "good/README", "good/.DS_Store", ".good/x.png"):
        (inbox / name).parent.mkdir(exist_ok=True)
        (inbox / name).write_text("x")
    old(inbox)
    assert look(inbox).not_images == {
        "good/README": f"Expected {KINDS}, found a file without a suffix",
        "good/note.txt": f"Expected {KINDS}, found a file *.txt"}


def test_unfinished_files_wait_with_all_that_belongs_to_them(inbox):
    for name in ("good/x.png.part", "good/y.png~", "good/z.CRDOWNLOAD"):
        (inbox / name).write_bytes(b"")
    mask(inbox / "ground_truth/dent/later_mask.png")
    write(inbox / "good/alone_mask.png", pixels(5))
    old(inbox)
    waiting = look(inbox).waiting
    assert {path for path, why in waiting.items() if "not complete yet" in why} == {
        "good/x.png.part", "good/y.png~", "good/z.CRDOWNLOAD"}
    assert {path for path, why in waiting.items() if "mask whose image" in why} == {
        "ground_truth/dent/later_mask.png", "good/alone_mask.png"}


def test_a_file_that_grows_is_left_and_one_that_is_complete_is_taken(inbox):
    data = (inbox / "good/a.png").read_bytes()
    (inbox / "good/fresh.png").write_bytes(data)
    growing, stop = inbox / "ground_truth/dent/b_mask.png", threading.Event()

    def write_on():
        while not stop.is_set():
            with growing.open("ab") as stream:
                stream.write(b"x")
            time.sleep(0.01)

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        found = look(inbox, settling=0.3)
    finally:
        stop.set()
        writer.join()
    assert found.waiting == {
        "ground_truth/dent/b_mask.png": "it is still being written",
        "dent/b.png": "its mask ground_truth/dent/b_mask.png is not complete yet"}
    assert "good/fresh.png" in [record.path for record in found.images]


def test_a_clock_that_is_ahead_holds_nothing_up(inbox):
    os.utime(inbox / "good/a.png", (time.time() + 86400,) * 2)
    assert not look(inbox, settling=0.05).waiting


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_a_file_that_cannot_be_opened_waits(inbox):
    (inbox / "good/a.png").chmod(0)
    assert "permissions" in look(inbox).waiting["good/a.png"]


def test_a_name_that_is_not_utf8_waits(inbox):
    (inbox / "good/a.png").rename(inbox / os.fsdecode(b"good/\xff.png"))
    (why,) = look(inbox).waiting.values()
    assert "rename it" in why


def test_what_cannot_be_is_one_sentence(inbox):
    with pytest.raises(ConfigError, match=r"expected the inbox folder .* found none"):
        look(inbox / "nowhere")
    (inbox / "parts.csv").write_text("path,group\n")
    with pytest.raises(ConfigError, match=r"an inbox has no parts\.csv"):
        look(inbox)
    for label in ("../x", "a/b", ".hidden", "ground_truth"):
        with pytest.raises(ConfigError, match="expected good or the name of a defect"):
            check_label(label)


def test_a_link_to_a_folder_of_the_inbox_waits(inbox):
    (inbox / "good/again").symlink_to(inbox / "dent", target_is_directory=True)
    found = look(inbox)
    assert found.waiting == {
        "good/again": "it is a link, or is in a folder that is one: put the file itself here"}
    assert not found.not_images and len(found.images) == 3
