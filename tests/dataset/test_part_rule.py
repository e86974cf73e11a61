"""Parts are read from names by a rule that a person can write."""

import pytest

from hdm.dataset.part_rule import part_reader


@pytest.mark.parametrize(("rule", "name", "part"), [
    ("{part}_cam*", "good/part_01_cam2.png", "part_01"),
    ("{part}_cam*", "/mnt/nas/PART_01_CAM2.TIF", "PART_01"),
    ("{part}_cam*", "C:\\shots\\17_cam1.bmp", "17"),
    ("{part}_*", "a_b_c.png", "a_b"),
    ("*_{part}", "exp1_num_108.jpg", "num_108"),
    ("{part}?", "good/004b.png", "004"),
    ("{part}/*", "good/p7/top.png", "p7"),
    ("*/{part}", "good/cam1/0003.png", "0003"),
    ("{part}/{part}_*", "scratch/01_left.png", "scratch/01"),
    ("{part}-(*)", "12-(3).png", "12"),
    ("{part}.*", "12.3.png", "12"),
    ("{part}_cam*", "stack_cam1.tif#3", "stack")])
def test_names_that_fit(rule, name, part):
    assert part_reader(rule)(name) == part


@pytest.mark.parametrize(("rule", "name"), [
    ("{part}_cam*", "part_01.png"), ("{part}_cam*", "_cam1.png"), ("{part}/*", "top.png"),
    ("{part}-?", "12-34.png"), ("", "part_01_cam2.png"), ("{part}_cam*", ""),
    ("{part}_cam*", "."), ("{part}.x", "ayx.png")])
def test_names_that_do_not(rule, name):
    assert part_reader(rule)(name) is None
