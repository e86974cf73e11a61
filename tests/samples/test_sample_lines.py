"""What a drawn sample line promises: layout, masks, groups, determinism, all or nothing, and that
nothing solves it that only sees statistics or linear structure."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score
from trivial_scorers import SCORERS

from hdm.samples import SAMPLE_LINES, contact_sheet, draw_line
from hdm.samples.dataset import LINES

SIZES = {
    "brushed_plate": ("L", (128, 128)),
    "woven_mesh": ("RGB", (128, 128)),
    "cast_bracket": ("RGB", (160, 128)),
}


def files(folder: Path) -> dict[str, bytes]:
    """Return every file's bytes by its path relative to ``folder``."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def groups(folder: Path) -> dict[str, str]:
    """Return the group of every image path."""
    with (folder / "parts.csv").open(newline="", encoding="utf-8") as stream:
        return {row["path"]: row["group"] for row in csv.DictReader(stream)}


@pytest.mark.parametrize("name", SAMPLE_LINES)
def test_full_line_has_promised_layout_and_counts(full_lines, name):
    folder = full_lines[name]
    assert len(list((folder / "train/good").glob("*.png"))) == LINES[name].train_good
    assert len(list((folder / "test/good").glob("*.png"))) == 48
    kinds = [path.name for path in (folder / "test").iterdir() if path.name != "good"]
    assert len(kinds) >= 5
    for kind in kinds:
        images = sorted(path.stem for path in (folder / "test" / kind).glob("*.png"))
        masks = sorted(path.stem for path in (folder / "ground_truth" / kind).glob("*.png"))
        assert len(images) >= 12
        assert masks == [f"{stem}_mask" for stem in images]
        assert images[0] == "000"
    assert sorted(path.name for path in (folder / "ground_truth").iterdir()) == sorted(kinds)
    assert sum(1 for path in files(folder) if path.startswith("test/")) >= 48 + 72


@pytest.mark.parametrize("name", SAMPLE_LINES)
def test_images_have_the_line_s_mode_and_size(small_lines, name):
    drawn = list(small_lines[name].glob("t*/**/*.png"))
    assert drawn
    for path in drawn:
        with Image.open(path) as image:
            assert (image.mode, image.size) == SIZES[name]


@pytest.mark.parametrize("name", SAMPLE_LINES)
def test_masks_are_binary_local_and_not_empty(full_lines, name):
    masks = list(full_lines[name].glob("ground_truth/**/*.png"))
    assert masks
    for path in masks:
        with Image.open(path) as image:
            mask = np.asarray(image)
            assert (image.mode, image.size) == ("L", SIZES[name][1])
        assert set(np.unique(mask)) == {0, 255}
        assert 10 <= (mask > 0).sum() < 0.08 * mask.size


@pytest.mark.parametrize("name", SAMPLE_LINES)
def test_groups_list_every_image_and_never_cross_splits(full_lines, name):
    by_path = groups(full_lines[name])
    drawn = {path for path in files(full_lines[name]) if path.startswith(("train/", "test/"))}
    assert set(by_path) == drawn
    splits: dict[str, set[str]] = {}
    for path, group in by_path.items():
        splits.setdefault(group, set()).add(path.split("/")[0])
    assert all(len(where) == 1 for where in splits.values())
    sizes = {list(by_path.values()).count(group) for group in splits}
    assert sizes == {1, 2, 3}


def test_same_seed_draws_identical_bytes_and_another_seed_does_not(tmp_path, small_lines):
    name = SAMPLE_LINES[0]
    draw_line(name, tmp_path / "again", scale=0.06)
    draw_line(name, tmp_path / "other", scale=0.06, seed=1)
    first = files(small_lines[name])
    assert files(tmp_path / "again") == first
    other = files(tmp_path / "other")
    assert set(other) == set(first)
    assert all(other[path] != first[path] for path in first if path.startswith("t"))


def test_an_image_does_not_depend_on_the_counts(small_lines, full_lines):
    for name in SAMPLE_LINES:
        small, full = files(small_lines[name]), files(full_lines[name])
        assert all(full[path] == data for path, data in small.items() if path.endswith(".png"))


def test_unknown_name_lists_the_valid_ones(tmp_path):
    with pytest.raises(ValueError, match=r"brushed_plate, woven_mesh, cast_bracket"):
        draw_line("glass", tmp_path / "line")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scale", [0.0, -1.0, 1.5])
def test_scale_out_of_range(tmp_path, scale):
    with pytest.raises(ValueError, match="scale"):
        draw_line(SAMPLE_LINES[0], tmp_path / "line", scale=scale)


def test_a_folder_with_content_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError):
        draw_line(SAMPLE_LINES[0], tmp_path, scale=0.01)
    assert files(tmp_path) == {"notes.txt": b"mine"}


def test_an_exception_midway_leaves_nothing(tmp_path):
    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw_line(SAMPLE_LINES[0], tmp_path / "line", scale=0.05, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_every_image(tmp_path):
    calls: list[tuple[int, int]] = []
    draw_line(
        SAMPLE_LINES[0], tmp_path / "line", scale=0.01, progress=lambda *call: calls.append(call)
    )
    total = len(groups(tmp_path / "line"))
    assert calls == [(done, total) for done in range(1, total + 1)]


@pytest.mark.parametrize("name", SAMPLE_LINES)
def test_contact_sheet_outlines_the_defects(small_lines, name):
    sheet = np.asarray(contact_sheet(small_lines[name]))
    assert sheet.ndim == 3
    kinds = len(list((small_lines[name] / "test").iterdir()))
    assert sheet.shape[0] > kinds * 2 * SIZES[name][1][1]
    assert (sheet == (255, 0, 0)).all(2).sum() > 100


def test_contact_sheet_of_an_empty_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        contact_sheet(tmp_path)


def load(folder: Path) -> list[np.ndarray]:
    return [np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))]


@pytest.mark.parametrize("name", SAMPLE_LINES)
def test_trivial_scorers_stay_below(full_lines, name):
    folder = full_lines[name]
    good = load(folder / "test/good")
    bad = [
        image
        for kind in sorted((folder / "test").iterdir())
        if kind.name != "good"
        for image in load(kind)
    ]
    labels = [0] * len(good) + [1] * len(bad)
    train = load(folder / "train/good")
    test = good + bad
    aurocs = {key: roc_auc_score(labels, score(train, test)) for key, score in SCORERS.items()}
    assert max(aurocs.values()) < 0.80, aurocs
