"""What ingest makes of a source, and what it refuses in one sentence."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from image_files import bmp_header, fill, mask, mvtec, pixels, png, write
from PIL import Image

from hdm.errors import DataError
from hdm.ingest import decoding
from hdm.ingest.build_manifest import ingest
from hdm.settings import Ingest


def run(source, seed=0, layout="auto", cache=None, progress=None, **settings):
    return ingest(source, layout, Ingest(**settings), seed, cache=cache, progress=progress)


def refused(source, **settings):
    """The one sentence with which `source` is refused."""
    with pytest.raises(DataError) as caught:
        run(source, **settings)
    message = str(caught.value)
    assert "\n" not in message and message.endswith((".", "?"))
    return message


def snapshot(folder: Path):
    return {str(p.relative_to(folder)): (p.lstat().st_mtime_ns, p.lstat().st_mode,
                                         p.read_bytes() if p.is_file() else b"")
            for p in sorted(folder.rglob("*"))}


def plain(root, number=24):
    fill(root / "good", number, 0)
    fill(root / "dent", 3, 500)
    return root


def test_rows_say_what_the_files_are(tmp_path):
    fill(tmp_path / "good", 4, 0, height=20, width=50)
    fill(tmp_path / "good/deep", 2, 10, dtype=np.uint16)
    fill(tmp_path / "good/colour", 2, 20, ".bmp", channels=3)
    write(tmp_path / "dent/x.png", pixels(40))
    mask(tmp_path / "dent/x_mask.png")
    rows = {row.path: row for row in run(tmp_path).manifest}
    plain_row, deep, colour, dent = (rows[name] for name in (
        "good/000.png", "good/deep/000.png", "good/colour/000.bmp", "dent/x.png"))
    assert (plain_row.width, plain_row.height, plain_row.channels, plain_row.bit_depth) == \
        (50, 20, 1, 8)
    assert (deep.channels, deep.bit_depth, colour.channels) == (1, 16, 3)
    assert (dent.label, dent.defect_type, dent.split, dent.mask_path) == \
        (1, "dent", "test", "dent/x_mask.png")
    assert len(rows) == 9 and len({row.sha256 for row in rows.values()}) == 9


def test_split_table_counts_every_image(tmp_path):
    result = run(mvtec(tmp_path, train=20))
    table = result.table
    assert list(table.columns) == ["split", "defect_type", "images", "masks", "groups"]
    assert table[["split", "defect_type"]].values.tolist() == [
        ["train", "good"], ["calibration", "good"], ["test", "good"], ["test", "scratch"]]
    assert table["images"].sum() == 27 and table["images"].tolist()[2:] == [4, 3]
    assert table["masks"].tolist() == [0, 0, 0, 3]
    assert table["images"].tolist()[:2] == [20 - table["images"][1], table["images"][1]]
    assert result.warnings == []


def test_same_input_gives_same_bytes_and_leaves_the_source_alone(tmp_path):
    source = mvtec(tmp_path / "source")
    before = snapshot(source)
    run(source).manifest.save(tmp_path / "one")
    run(source, cache=tmp_path / "cache").manifest.save(tmp_path / "two")
    run(source, cache=tmp_path / "cache").manifest.save(tmp_path / "three")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes() \
        == (tmp_path / "three").read_bytes()
    assert snapshot(source) == before


def test_new_images_are_picked_up_and_the_others_stay(tmp_path):
    plain(tmp_path, 40)
    before = {row.path: row.split for row in run(tmp_path).manifest}
    fill(tmp_path / "good/later", 2, 900)
    after = {row.path: row.split for row in run(tmp_path).manifest}
    assert len(after) == len(before) + 2
    assert sum(after[path] != split for path, split in before.items()) <= 2


def test_unchanged_files_are_not_decoded_again(tmp_path, monkeypatch):
    source, cache = plain(tmp_path / "source"), tmp_path / "work/decoded.parquet"
    decoded = []
    real = decoding.read_image
    monkeypatch.setattr(decoding, "read_image", lambda path: decoded.append(path.name) or
                        real(path))
    first = run(source, cache=cache)
    assert len(decoded) == 27
    decoded.clear()
    assert run(source, cache=cache).manifest.frame.equals(first.manifest.frame)
    assert decoded == []
    write(source / "good/007.png", pixels(777))
    os.utime(source / "good/007.png", ns=(1, 1))
    run(source, cache=cache)
    assert decoded == ["007.png"]


def test_a_damaged_or_foreign_cache_is_no_matter(tmp_path):
    source, cache = plain(tmp_path / "source"), tmp_path / "cache"
    expected = run(source).manifest.frame
    cache.write_bytes(b"PAR1 nonsense")
    assert run(source, cache=cache).manifest.frame.equals(expected)
    other = mvtec(tmp_path / "other")
    run(other, cache=cache)
    assert run(source, cache=cache).manifest.frame.equals(expected)
    (tmp_path / "blocked").write_text("a file where a folder should be")
    assert run(source, cache=tmp_path / "blocked/cache").manifest.frame.equals(expected)


def test_progress_counts_images_and_masks(tmp_path):
    seen = []
    run(mvtec(tmp_path), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(i, 22) for i in range(1, 23)]


def test_groups_stay_together(tmp_path):
    plain(tmp_path, 40)
    rows = [f"good/{i:03d}.png,part {i // 4}" for i in range(40)] + ["dent/000.png,part 0"]
    (tmp_path / "parts.csv").write_text("path,group\n" + "\n".join(rows) + "\n")
    frame = run(tmp_path).manifest.frame
    assert frame.groupby("group")["split"].nunique().max() == 1
    assert frame[frame["group"] == "part 0"]["split"].unique().tolist() == ["test"]
    assert set(frame["split"]) == {"train", "calibration", "test"}


def test_exact_copies_share_a_split_where_we_choose(tmp_path):
    plain(tmp_path, 30)
    for i in range(0, 30, 3):
        write(tmp_path / f"good/copy/{i}.bmp", pixels(i))
    result = run(tmp_path)
    frame = result.manifest.frame
    assert frame.groupby("sha256")["split"].nunique().max() == 1
    assert result.warnings[0].startswith("10 of 43 images are exact copies")


def test_exact_copies_across_given_splits_are_always_refused(tmp_path):
    mvtec(tmp_path)
    write(tmp_path / "test/good/again.bmp", pixels(3))
    message = refused(tmp_path, near_duplicates="ignore")
    assert "1 images are exact copies of images in other splits" in message
    assert "test/good/again.bmp = train/good/003.png" in message


def test_one_picture_as_good_and_as_defect_is_refused(tmp_path):
    plain(tmp_path)
    write(tmp_path / "dent/same.png", pixels(4))
    assert "dent/same.png = good/004.png" in refused(tmp_path)


@pytest.fixture
def near(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(26):
        smooth = rng.normal(size=(12, 16)).repeat(8, 0).repeat(8, 1)
        image = np.clip(smooth * 30 + 120 + rng.normal(0, 4, (96, 128)), 0, 255).astype(np.uint8)
        write(tmp_path / ("train" if i < 20 else "test") / f"good/{i}.png", image)
        if i == 5:
            copy = Image.fromarray(image).resize((122, 92))
            (tmp_path / "test/good").mkdir(parents=True)
            copy.save(tmp_path / "test/good/copy.jpg", quality=80)
    return tmp_path


def test_near_copies_are_refused_warned_of_or_ignored(near):
    message = refused(near)
    assert "1 pairs of images show the same picture" in message
    assert "test/good/copy.jpg" in message and "train/good/5.png" in message
    assert "ingest.near_duplicates" in message
    warned = run(near, near_duplicates="warn").warnings
    assert any("train/good/5.png" in text for text in warned)
    assert not any("picture" in text for text in run(near, near_duplicates="ignore").warnings)


def test_what_test_cannot_tell_is_said(tmp_path):
    fill(tmp_path / "good", 12, 0)
    assert run(tmp_path).warnings[0].startswith("test has no defect images")
    fill(tmp_path / "dent", 2, 60)
    assert run(tmp_path).warnings == [
        "2 of 2 defect images in test have no mask: pixel metrics leave them out."]


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
    mask(mvtec(tmp_path) / "ground_truth/scratch/002_mask.png", height=24, width=31)
    assert ("ground_truth/scratch/002_mask.png (a mask of 31x24 px for the image "
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


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["mtd", "mvtec_grid"])
def test_real_sets_pass_with_the_defaults(name):
    source = Path(__file__).parents[3] / "shared/data" / name
    if not source.is_dir():
        pytest.skip("needs the real inspection images beside the checkout")
    table = run(source).table
    assert set(table["split"]) == {"train", "calibration", "test"}
