"""Masks are told from images by name, content and pairing, under whatever name they lie."""

from collections import Counter

import numpy as np
import pytest
from image_files import write
from plates import dent_mask, plate, plates

from hdm.errors import DataError
from hdm.ingest.readers import read_source
from hdm.pipelines import Source


def read(root, **settings):
    return read_source(root, Source(path=str(root), **settings))


def kinds(found):
    return Counter(record.defect_type for record in found.records)


def white(marked):
    return marked.astype(np.uint8) * 255


def assert_four_masks(root, **settings):
    found = read(root, **settings)
    assert kinds(found) == {"good": 14, "dent": 4}
    for record in found.records:
        assert len(record.masks) == record.label
        if record.masks:  # its own: the names of image and mask have one number
            assert record.path[-7:-4] in record.masks[0]
    assert not found.aside
    return found


@pytest.mark.parametrize("folder", [
    "mask", "Masks", "gt", "GT", "label", "labels", "groundtruth", "Ground_Truth", "ground truth",
    "annotations", "annotation", "segmentation", "seg", "binary_masks", "defect-masks"])
@pytest.mark.parametrize("below", ["dent/", ""])
def test_folders_named_like_masks(tmp_path, folder, below):
    plates(tmp_path, lambda root, number, marked: write(
        root / folder / f"{below}{number:03d}.png", white(marked)))
    assert_four_masks(tmp_path)


@pytest.mark.parametrize("name", [
    "dent/masks/{:03d}.png", "masks/dent/{:03d}.bmp", "dent/gt/{:03d}_gt.png"])
def test_nested_folders(tmp_path, name):
    plates(tmp_path, lambda root, number, marked: write(
        root / name.format(number), white(marked)))
    assert_four_masks(tmp_path)


@pytest.mark.parametrize("name", [
    "dent/{:03d}_mask.png", "dent/{:03d}_gt.png", "dent/{:03d}_GT.bmp", "dent/{:03d}-label.png",
    "dent/{:03d}.mask.png", "dent/mask_{:03d}.png", "dent/{:03d}_seg.tif", "dent/{:03d}.bmp",
    "dent/{:03d}.tif"])
def test_neighbours(tmp_path, name):
    """By a suffix of the name, or by another suffix of the file."""
    plates(tmp_path, lambda root, number, marked: write(
        root / name.format(number), white(marked)))
    assert_four_masks(tmp_path)


@pytest.mark.parametrize("name", ["dent_mask/{:03d}.png", "gt_dent/{:03d}.png",
                                  "masks/dent_masks/{:03d}.png"])
def test_folders_named_after_those_of_the_images(tmp_path, name):
    """Another kind of defect counts in the same way."""
    plates(tmp_path, lambda root, number, marked: write(
        root / name.format(number), white(marked)))
    for number in range(4):
        write(tmp_path / f"scratch/{number:03d}.png", plate(3000 + number, dent=True))
    for record in read(tmp_path).records:
        assert len(record.masks) == (record.defect_type == "dent")


@pytest.mark.parametrize("name", ["weisse_flaeche/{:03d}.png", "maps/dent/{:03d}.png",
                                  "dent/drawn/{:03d}.png"])
def test_a_folder_with_no_telling_name_is_told_by_what_it_shows(tmp_path, name):
    plates(tmp_path, lambda root, number, marked: write(
        root / name.format(number), white(marked)))
    found = assert_four_masks(tmp_path)
    assert any("taken as masks" in note for note in found.notes)


@pytest.mark.parametrize("folder", ["shapes", "roi", "marks"])
def test_drawn_pictures_that_pair_with_nothing_are_a_question(tmp_path, folder):
    plates(tmp_path, lambda root, number, marked: write(
        root / folder / f"x{number}.png", white(marked)))
    with pytest.raises(DataError, match=rf"4 pictures of {folder}/ are drawn in a few flat tones"):
        read(tmp_path)
    assert kinds(read(tmp_path, folders={folder: "defect"})) == {"good": 14, "dent": 4, folder: 4}
    aside = read(tmp_path, folders={folder: "aside"})
    assert kinds(aside) == {"good": 14, "dent": 4} and len(aside.aside) == 4


@pytest.mark.parametrize("folder", ["label", "mask", "segment"])
def test_photographs_in_a_folder_named_like_masks_are_a_question(tmp_path, folder):
    plates(tmp_path)
    for number in range(3):
        write(tmp_path / folder / f"{number:03d}.png", plate(500 + number, dent=True))
    with pytest.raises(DataError, match=f"{folder}/ is named like a folder of masks, and its 3"):
        read(tmp_path)
    assert kinds(read(tmp_path, folders={folder: "defect"}))[folder] == 3


@pytest.mark.parametrize("layout", ["folder", "mvtec"])
def test_areas_of_one_image_in_files_of_their_own(tmp_path, layout):
    """As LOCO has them; test/<kind>/000.png is not the image of another one's 000.png."""
    prefix = "" if layout == "folder" else "test/"
    root = plates(tmp_path, good="good" if layout == "folder" else "train/good",
                  defect=f"{prefix}dent")
    for number in range(4):
        for area in range(1 + number % 2):
            write(root / f"ground_truth/dent/{number:03d}/{area:03d}.png",
                  white(dent_mask(2000 + number + area)))
    found = {record.path: record.masks for record in read(root).records if record.label}
    assert {path[-7:-4]: [mask.split("/")[2] for mask in masks] for path, masks in found.items()} \
        == {"000": ["000"], "001": ["001", "001"], "002": ["002"], "003": ["003", "003"]}


def test_numbers_of_images_are_no_numbers_of_areas(tmp_path):
    """part_mask_1.png is of part_1.png where there is one, else an area of part.png."""
    plates(tmp_path, defects=0)
    for image in ("part", "part_1", "lone"):
        write(tmp_path / f"dent/{image}.png", plate(len(image) + 90, dent=True))
    for mask in ("part_mask", "part_mask_1", "lone_mask_1", "lone_mask_2"):
        write(tmp_path / f"dent/{mask}.png", white(dent_mask(len(mask))))
    assert {record.path: record.masks for record in read(tmp_path).records if record.label} == {
        "dent/lone.png": ("dent/lone_mask_1.png", "dent/lone_mask_2.png"),
        "dent/part.png": ("dent/part_mask.png",), "dent/part_1.png": ("dent/part_mask_1.png",)}


def test_a_mask_that_could_be_of_two_images_is_a_question(tmp_path):
    plates(tmp_path)
    plates(tmp_path, defect="scratch", number=0)
    write(tmp_path / "gt/000.png", white(dent_mask(1)))
    with pytest.raises(DataError, match=r"gt/000.png \(dent/000.png or scratch/000.png\)"):
        read(tmp_path)


def test_a_mask_without_an_image_is_aside(tmp_path):
    plates(tmp_path)
    write(tmp_path / "ground_truth/dent/900.png", white(dent_mask(1)))
    assert read(tmp_path).aside == {"ground_truth/dent/900.png": "a mask that pairs with no image"}


@pytest.mark.parametrize("good", ["OK", "i.O.", "Normal"])
def test_good_parts_under_other_names(tmp_path, good):
    assert kinds(read(plates(tmp_path, good=good))) == {"good": 14, "dent": 4}


def test_two_folders_of_good_parts_are_a_question(tmp_path):
    plates(plates(tmp_path), good="OK")
    with pytest.raises(DataError, match="OK/ and good/ are named like good parts"):
        read(tmp_path)
    found = read(tmp_path, folders={"OK": "good", "good": "good"})
    assert kinds(found) == {"good": 28, "dent": 4}


@pytest.mark.parametrize("inner", ["good/NG", "good/dent", "good/monday/rejects", "dent/ok"])
def test_the_opposite_inside_a_folder_is_a_question(tmp_path, inner):
    plates(tmp_path)
    write(tmp_path / inner / "x.png", plate(77, dent=True))
    with pytest.raises(DataError, match=rf"{inner}/ \(1 images\): good or defective"):
        read(tmp_path)
    kind = "good" if inner == "dent/ok" else "defect"
    found = read(tmp_path, folders={inner: kind})
    assert sum(record.label for record in found.records) == (5 if kind == "defect" else 4)


def test_advanced_mvtec(tmp_path):
    """AD 2: test_public/, masks beside it, and private test images without a label."""
    plates(tmp_path, good="train/good", defect="test_public/bad", number=10)
    for number in range(4):
        write(tmp_path / f"test_public/ground_truth/bad/{number:03d}_mask.png",
              white(dent_mask(1000 + number)))
        write(tmp_path / f"validation/good/{number:03d}.png", plate(300 + number))
        write(tmp_path / f"test_public/good/{number:03d}.png", plate(400 + number))
        write(tmp_path / f"test_private/{number:03d}_mixed.png", plate(600 + number))
    found = read(tmp_path)
    assert Counter((r.split, r.defect_type, len(r.masks)) for r in found.records) == {
        ("train", "good", 0): 10, ("calibration", "good", 0): 4, ("test", "good", 0): 4,
        ("test", "bad", 1): 4}
    assert len(found.aside) == 4


@pytest.mark.parametrize("link, target", [
    ("good/more", "scratch"), ("a_link", "good"), ("good/up", "."), ("zz", "dent")])
def test_a_link_to_a_folder_of_the_source_changes_nothing(tmp_path, link, target):
    plates(tmp_path)
    plates(tmp_path, defect="scratch", number=0, defects=0)
    for number in range(3):
        write(tmp_path / f"scratch/{number:03d}.png", plate(4000 + number, dent=True))
    before = kinds(read(tmp_path))
    (tmp_path / link).symlink_to(tmp_path / target, target_is_directory=True)
    found = read(tmp_path)
    assert kinds(found) == before == {"good": 14, "dent": 4, "scratch": 3}
    assert list(found.aside) == [link]


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("name", ["good/{:03d}.bmp", "good/{:03d}_mask.png", "gt/good/{:03d}.png"])
def test_empty_masks_of_good_images_are_no_images(tmp_path, name, value):
    plates(tmp_path, lambda root, number, marked: write(
        root / f"dent/{number:03d}.bmp", white(marked)))
    for number in range(14):
        write(tmp_path / name.format(number), np.full((40, 56), value, np.uint8))
    found = read(tmp_path)
    assert kinds(found) == {"good": 14, "dent": 4}


@pytest.mark.parametrize("path", [
    "good/scratch/x.png", "good/Kratzer/x.png", "good/part_77_NOK.png", "good/monday/x_defect.png"])
def test_what_is_named_like_a_defect_among_good_parts_is_a_question(tmp_path, path):
    write(plates(tmp_path) / path, plate(77, dent=True))
    with pytest.raises(DataError, match="good or defective"):
        read(tmp_path)


@pytest.mark.parametrize("folder", ["good2", "OK_new", "gut Schicht 2", "train", "unlabeled"])
def test_folders_that_sound_good_are_a_question(tmp_path, folder):
    write(plates(tmp_path) / folder / "x.png", plate(77))
    with pytest.raises(DataError, match=f"{folder}/: good parts, a kind of defect, or neither"):
        read(tmp_path)
    assert kinds(read(tmp_path, folders={folder: "good"}))["good"] == 15


@pytest.mark.parametrize("folder", ["not_ok", "No Good", "NG_2", "defective parts"])
def test_plain_words_for_bad_are_no_question(tmp_path, folder):
    write(plates(tmp_path) / folder / "x.png", plate(77, dent=True))
    assert kinds(read(tmp_path)) == {"good": 14, "dent": 4, folder: 1}
