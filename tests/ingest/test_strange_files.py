"""Damaged files, strange names, links and permissions: what ingest takes and what it refuses."""

import os
import time
from pathlib import Path

import pytest
from image_files import (
    bmp32,
    bmp_header,
    chunk,
    encoded,
    fill,
    mask,
    mvtec,
    pixels,
    png,
    tiff,
    with_chunk,
    write,
)
from small_sources import plain, refused, run


def test_missing_folder_empty_folder_and_no_good_images(tmp_path):
    assert "found nothing" in refused(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    assert "found an empty folder" in refused(tmp_path / "empty")
    fill(tmp_path / "bad/dent", 3, 0)
    assert "looked for" in refused(tmp_path / "bad")
    (tmp_path / "bad/good").mkdir()
    assert "expected good images to learn from, found none among 3" in refused(tmp_path / "bad")


BROKEN = {
    "truncated": (lambda data: data[: len(data) // 2], "truncated or damaged image"),
    "zero bytes": (lambda data: b"", "an empty file"),
    "text": (lambda data: b"hello, this is text", "a text file"),
    "bomb": (lambda data: png(60_000, 60_000), "more than 178 megapixels"),
    "bmp bomb": (lambda data: bmp_header(60_000, 60_000), "more than 178 megapixels"),
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("name", ["test/scratch/001.png", "ground_truth/scratch/001_mask.png"])
def test_unusable_files_are_named(tmp_path, case, name):
    breaks, reason = BROKEN[case]
    file = mvtec(tmp_path) / name
    file.write_bytes(breaks(file.read_bytes()))
    message = refused(tmp_path)
    assert message.startswith(f"1 of 22 files cannot be used: {name} (") and reason in message


@pytest.mark.parametrize(("suffix", "container"), [
    ("webp", "WEBP"), ("JFIF", "JPEG"), ("jpe", "JPEG"), ("jp2", "JPEG2000"), ("pgm", "PPM"),
    ("Gif", "GIF"), ("dib", "BMP"), ("avif", "AVIF")])
def test_whatever_is_an_image_is_read(tmp_path, suffix, container):
    source = plain(tmp_path)
    for number in range(3):
        (source / f"good/more{number}.{suffix}").write_bytes(
            encoded(pixels(700 + number), container))
    assert len(run(source).manifest) == 30


def test_odd_metadata_and_an_unused_alpha_are_no_damage(tmp_path):
    source = plain(tmp_path)
    text = chunk(b"tEXt", b"a\0b")[:-4] + bytes(4)
    (source / "good/a.png").write_bytes(with_chunk(encoded(pixels(701), "PNG"), text))
    for number in range(3):
        (source / f"good/b{number}.bmp").write_bytes(bmp32(pixels(710 + number, channels=3), 0))
    frame = run(source).manifest.frame
    assert len(frame) == 31 and frame["sha256"].is_unique


@pytest.mark.parametrize("kind", ["f4", "f8", "i4"])
def test_kinds_that_are_not_read_are_not_called_damaged(tmp_path, kind):
    (plain(tmp_path) / "good/x.tif").write_bytes(
        tiff(pixels(1).astype(kind), photometric="minisblack"))
    message = refused(tmp_path)
    assert "-bit " in message and "damaged" not in message


def test_a_bomb_takes_no_time_and_no_memory(tmp_path):
    (mvtec(tmp_path) / "train/good/000.png").write_bytes(png(60_000, 60_000))
    start = time.monotonic()
    refused(tmp_path)
    assert time.monotonic() - start < 5


def test_five_files_are_named_and_the_total(tmp_path):
    mvtec(tmp_path, train=12)
    for i in range(8):
        (tmp_path / f"train/good/{i:03d}.png").write_bytes(b"")
    message = refused(tmp_path)
    assert message.startswith("8 of 22 files cannot be used: train/good/000.png (an empty file)")
    assert message.count("an empty file") == 5 and "and 3 more; replace or remove" in message


def test_mask_of_another_size_names_both(tmp_path):
    mask(mvtec(tmp_path) / "ground_truth/scratch/002_mask.png", height=24, width=24)
    assert ("ground_truth/scratch/002_mask.png (a mask of 24x24 px for the image "
            "test/scratch/002.png of 32x24 px)") in refused(tmp_path)


def test_duplicate_names_wrong_columns_and_missing_files_of_a_table(tmp_path):
    fill(tmp_path, 4, 0)
    table = tmp_path / "t.csv"
    table.write_text("path\n000.png\n001.png\n000.png\n")
    assert "'000.png' occurs twice" in refused(table)
    table.write_text("pathh\n000.png\n")
    assert "did you mean 'path'" in refused(table)
    table.write_text("path,label\n000.png,0\n001.png,0\n002.png,0\nnone.png,1\n")
    assert "1 of 4 files cannot be used: none.png (no such file)" in refused(table)


@pytest.mark.parametrize("path", ["../outside.png", "/etc/hosts.png", "a/../../outside.png"])
def test_paths_that_leave_the_tables_folder(tmp_path, path):
    write(tmp_path / "outside.png", pixels(0))
    table = tmp_path / "in/t.csv"
    fill(table.parent, 4, 10)
    table.write_text(f"path\n000.png\n001.png\n002.png\n{path}\n")
    assert f"{path}: expected a file inside" in refused(table)


def test_links_out_of_the_folder_are_refused(tmp_path):
    source = plain(tmp_path / "source")
    secret = write(tmp_path / "secret/a.png", pixels(99))
    (source / "good/link.png").symlink_to(secret)
    assert "good/link.png: expected a file inside" in refused(source)
    (source / "good/link.png").unlink()
    (source / "good/more").symlink_to(secret.parent, target_is_directory=True)
    assert "good/more/a.png: expected a file inside" in refused(source)


def test_links_within_the_folder_and_to_the_folder_work(tmp_path):
    source = plain(tmp_path / "source")
    write(source / "store/new.png", pixels(99))
    (source / "store").rename(source / ".store")
    (source / "good/link.png").symlink_to(source / ".store/new.png")
    (tmp_path / "alias").symlink_to(source, target_is_directory=True)
    assert len(run(tmp_path / "alias").manifest) == 28


def test_a_broken_link_is_an_unusable_file(tmp_path):
    (plain(tmp_path) / "good/link.png").symlink_to(tmp_path / "gone.png")
    assert "good/link.png (no such file)" in refused(tmp_path)


def test_non_ascii_and_long_names_work(tmp_path):
    source = plain(tmp_path / "Прüfung 検査")
    names = ["дефект-部品 'ü' [x].png", "n" * 230 + ".png", "a\tb#%.png", "x;y,z.PNG"]
    for i, name in enumerate(names):
        write(source / "good" / name, pixels(600 + i))
    result = run(source)
    assert {f"good/{name}" for name in names} <= set(result.manifest.frame["path"])
    result.manifest.save(tmp_path / "m")
    assert type(result.manifest).load(tmp_path / "m", source).frame.equals(result.manifest.frame)


def test_names_that_are_not_utf_8_are_refused(tmp_path):
    plain(tmp_path)
    odd = os.fsencode(tmp_path) + b"/good/\xff.png"
    Path(os.fsdecode(odd)).write_bytes((tmp_path / "good/000.png").read_bytes())
    message = refused(tmp_path)
    assert r"good/\udcff.png: expected a file name in UTF-8" in message
    message.encode("utf-8")


def test_a_read_only_source_works(tmp_path):
    source = mvtec(tmp_path / "source")
    folders = [source, *(p for p in source.rglob("*") if p.is_dir())]
    for path in [*source.rglob("*.png"), *folders]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert len(run(source, cache=tmp_path / "cache").manifest) == 19
    finally:
        for folder in folders:
            folder.chmod(0o755)
