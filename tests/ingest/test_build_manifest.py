"""What ingest makes of a source: rows, splits, groups, copies."""

import os
from pathlib import Path

import numpy as np
import pytest
from image_files import fill, mask, mvtec, pixels, write
from PIL import Image
from small_sources import plain, refused, run

from hdm.ingest import decoding


def snapshot(folder: Path):
    return {str(p.relative_to(folder)): (p.lstat().st_mtime_ns, p.lstat().st_mode,
                                         p.read_bytes() if p.is_file() else b"")
            for p in sorted(folder.rglob("*"))}


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
        (1, "dent", "test", "dent/x.png.png")
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
    assert result.warnings == ["parts unknown: each picture counts as its own part."]


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
    monkeypatch.setattr(decoding.outside, "in_worker", lambda work, *given, name: (
        decoded.extend([given[0].name] * (work is decoding._decoded)) or work(*given)))
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


def test_progress_counts_images(tmp_path):
    seen = []
    run(mvtec(tmp_path), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(i, 19) for i in range(1, 20)]


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


def test_a_copy_that_we_place_beside_a_held_out_image_is_refused(tmp_path):
    fill(tmp_path, 12, 0)
    write(tmp_path / "again.bmp", pixels(0))
    rows = ["000.png,holdout", "again.bmp,", *(f"{i:03d}.png,test" for i in (1, 2)),
            *(f"{i:03d}.png,train" for i in range(3, 12))]
    (tmp_path / "t.csv").write_text("path,split\n" + "\n".join(rows) + "\n")
    assert "000.png = again.bmp" in refused(tmp_path / "t.csv")


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
    assert not any("same picture" in text for text in run(near, near_duplicates="ignore").warnings)


def test_what_test_cannot_tell_is_said(tmp_path):
    fill(tmp_path / "good", 12, 0)
    assert run(tmp_path).warnings[0].startswith("test has no defect images")
    fill(tmp_path / "dent", 2, 60)
    assert run(tmp_path).warnings == [
        "2 of 2 defect images in test have no mask: pixel metrics leave them out.",
        "parts unknown: each picture counts as its own part."]


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["mtd", "mvtec_grid"])
def test_real_sets_pass_with_the_defaults(name):
    source = Path(__file__).parents[3] / "shared/data" / name
    if not source.is_dir():
        pytest.skip("needs the real inspection images beside the checkout")
    table = run(source).table
    assert set(table["split"]) == {"train", "calibration", "test"}
