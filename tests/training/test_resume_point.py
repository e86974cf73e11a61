"""A damaged resume point never blocks a training: the one before serves, or none."""

import pytest
import torch

from hdm.training.resume_point import load_point, save_point


def points(folder):
    file = folder / "checkpoint.safetensors"
    for step in (1, 2):
        save_point(file, {"step": torch.tensor(step), "model.w": torch.full((3, 2), float(step))})
    return file


def test_the_newest_point_comes_back_bit_for_bit(tmp_path):
    state = load_point(points(tmp_path))
    assert int(state["step"]) == 2 and torch.equal(state["model.w"], torch.full((3, 2), 2.0))


def test_without_a_point_there_is_none(tmp_path):
    assert load_point(tmp_path / "checkpoint.safetensors") is None


def damaged(kind, content):
    return {"empty": b"", "cut": content[:-1], "zeros": bytes(len(content)),
            "one bit": content[:-3] + bytes([content[-3] ^ 1]) + content[-2:],
            "hash alone": content[:32], "other": b"not a resume point" * 9}[kind]


KINDS = ["empty", "cut", "zeros", "one bit", "hash alone", "other"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_point_falls_back_to_the_one_before(tmp_path, kind):
    file = points(tmp_path)
    file.write_bytes(damaged(kind, file.read_bytes()))
    assert int(load_point(file)["step"]) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_two_damaged_points_are_none(tmp_path, kind):
    file = points(tmp_path)
    for one in tmp_path.iterdir():
        one.write_bytes(damaged(kind, one.read_bytes()))
    assert load_point(file) is None


def test_a_point_that_was_lost_between_two_renames_falls_back(tmp_path):
    file = points(tmp_path)
    file.unlink()
    assert int(load_point(file)["step"]) == 1
