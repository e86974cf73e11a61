"""What people said has a say where it helps to find what they did not name."""

import numpy as np
import pytest
import tiny
import torch
from dented import DENT, SIDE, said

from hdm.dataset.images import read_image
from hdm.detector.scorer import evidence_maps
from hdm.model_settings import Benign
from hdm.pom.discrimination import learning_feedback
from hdm.pom.discrimination.building import HeldOut, build_detector
from hdm.pom.discrimination.learning_feedback import LEAST, learn

GOOD = tiny.textures(24, SIDE)


def before(fit="resize", *, backbone=True):
    """A detector with random weights, and what was held out of it."""
    torch.manual_seed(0)
    form = tiny.input_format(SIDE, fit=fit)
    module = tiny.ddm(form, backbone=backbone)
    if backbone:
        module.prior = tiny.whitened(module.prior, form.canvas_for_encoder(GOOD))
    held = HeldOut(lambda n: GOOD[n], len(GOOD), GOOD, None, np.empty(0, int), 0)
    return build_detector(module, GOOD, Benign(), held, {})[0], held


def taught(folder, defects, alarms=0, fit="resize", *, backbone=True, **over):
    detector, held = before(fit, backbone=backbone)
    after, notes = learn(detector, said(folder / "d", "dent", defects, **over),
                         said(folder / "a", "good", alarms), GOOD, Benign(), held, seed=0)
    return detector, after, notes


@pytest.mark.parametrize("fit", ["resize", "tile"])
def test_another_of_the_kind_that_was_confirmed_is_near(tmp_path, fit):
    was, now, notes = taught(tmp_path, 5, 2, fit, masked=True)
    assert notes["learned"] and notes["joined"] == (2 if fit == "resize" else 0)
    assert now.info["feedback"] == {"defects": 5, "false_alarms": 2}
    module, other = now.scorer.ddm, said(tmp_path / "new", "dent", 8)
    near = [evidence_maps(module, now.scorer.normality, image[None])[0, -2] for image in (
        module.form.prepare(read_image(other.image_file(row))) for row in other)]
    rows, columns = DENT
    inside = torch.stack([one[rows, columns].mean() for one in near])
    assert (inside > torch.stack([one.mean() for one in near])).all()
    assert was.scorer.ddm.told is None


def test_nearness_is_a_kind_of_evidence_with_its_own_weight(tmp_path):
    was, now, _ = taught(tmp_path, 1, masked=True)
    assert now.scorer.ddm.latent_kinds == was.scorer.ddm.latent_kinds + 1
    weight, told = now.scorer.fusion.weight, now.scorer.ddm.settings.told
    assert weight[-2].item() == pytest.approx(told) and weight.sum().item() == pytest.approx(1)
    torch.testing.assert_close(weight[[0, 1, 3]], was.scorer.fusion.weight * (1 - told))
    maps = evidence_maps(now.scorer.ddm, now.scorer.normality, GOOD[:2])
    latents = now.scorer.ddm.latents(now.scorer.ddm.form.for_encoder(GOOD[:2]))
    near = torch.einsum("d,ndhw->nhw", now.scorer.ddm.told, latents)
    assert maps.shape[1] == 4 and maps[:, 2].amax() <= near.amax() + 1e-4


def test_networks_and_what_good_parts_look_like_stay(tmp_path):
    was, now, _ = taught(tmp_path, 5, masked=True)
    assert now.scorer.ddm.network is was.scorer.ddm.network
    assert now.scorer.ddm.prior is was.scorer.ddm.prior


def test_without_a_backbone_defects_teach_nothing_and_alarms_join(tmp_path):
    _, now, notes = taught(tmp_path, 5, 3, backbone=False)
    assert not notes["learned"] and notes["joined"] == 3 and now.scorer.ddm.told is None


def test_a_few_defects_are_believed_and_many_are_tried(tmp_path):

    assert taught(tmp_path / "few", LEAST - 1)[2]["worth"] == {}
    worth = taught(tmp_path / "many", LEAST)[2]["worth"]
    assert set(worth) == {"before", "after"} and all(0 <= w <= 1 for w in worth.values())


@pytest.mark.parametrize(("after", "learned"), [(0.9, True), (0.79, True), (0.77, False)])
def test_what_tells_left_out_defects_worse_has_no_say(tmp_path, monkeypatch, after, learned):
    monkeypatch.setattr(learning_feedback, "_worth",
                        lambda *_: {"before": 0.8, "after": after})
    _, now, notes = taught(tmp_path, LEAST)
    assert notes["learned"] is learned and (now.scorer.ddm.told is not None) is learned


def test_a_part_is_left_out_whole(tmp_path, monkeypatch):
    seen = []
    real = learning_feedback.ToldLatents.direction
    monkeypatch.setattr(learning_feedback.ToldLatents, "direction",
                        lambda own, without=(): seen.append(list(without)) or real(own, without))
    taught(tmp_path, 5, parts=["a", "b", "a", "c", "b"])
    assert sorted(filter(None, seen)) == [[0, 2], [1, 4], [3]]
