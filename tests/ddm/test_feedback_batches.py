"""What people said is shown: real defects where they are, pasted where they fit, alarms as good."""

import numpy as np
import pytest
import tiny
import torch

from hdm.dagm.bank import synthesize, usable_sources
from hdm.dagm.feedback_images import FeedbackImages
from hdm.dagm.mask_codes import CHANGED, IGNORED, UNCHANGED
from hdm.dagm.real_defects import RealDefects, labelled, oddest
from hdm.ddm.batches import Batches
from hdm.ddm.discriminator_training import refine
from hdm.ddm.feedback_batches import FeedbackBatches, paste
from hdm.detector.ensemble import Ensemble
from hdm.model_settings import Benign, DagmSynthesize

SIZE = 32
STILL = Benign(contrast=0, brightness=0, shading=0, noise=0, turn=0, scale=0, shift=0)


def real(pictures=3, drawn=True) -> RealDefects:
    """Canvases of the value 2 whose defect, a square, has the value 2.5."""
    images = torch.full((2 * pictures, 1, SIZE, SIZE), 2.0)
    labels = torch.zeros(2 * pictures, SIZE, SIZE, dtype=torch.uint8)
    labels[:, 9:17, 9:17], labels[:, 10:16, 10:16] = IGNORED, CHANGED
    images[labels[:, None] == CHANGED] = 2.5
    return RealDefects(images, labels, torch.arange(2 * pictures) // 2,
                       torch.full((2 * pictures,), drawn))


def batches(feedback, anywhere=False):
    normals, settings = tiny.textures(6, SIZE), DagmSynthesize(samples=10)
    bank = synthesize(normals, ["train"] * 6, settings, usable_sources(settings, normals), seed=0)
    plain = Batches(normals, bank, torch.arange(10), tiny.ddm_settings(), STILL)
    return FeedbackBatches(plain, feedback, anywhere=anywhere)


def said(defects=3, alarms=2, drawn=True) -> FeedbackImages:
    good = torch.full((alarms, 1, SIZE, SIZE), -2.0)
    own = real(defects, drawn) if defects else real().of([])
    return FeedbackImages(own, good, torch.arange(alarms))


@pytest.mark.parametrize(("defects", "alarms"), [(3, 2), (1, 0), (0, 2)])
def test_every_batch_holds_what_there_is(defects, alarms):
    shown = batches(said(defects, alarms, drawn=False))
    for step in range(4):
        seen, mask, weight = shown.draw(step, torch.Generator().manual_seed(step))
        found = [number for number in range(len(seen)) if seen[number].min() > 1.9]
        assert bool(found) == bool(defects)
        assert bool((seen.flatten(1).max(1).values < -1.9).any()) == bool(alarms)
        for number in found:
            assert mask[number].sum() == 36 and weight[number].sum() == SIZE**2 - 28
        assert (mask[seen.flatten(1).max(1).values < -1.9] == 0).all()


def test_a_batch_follows_from_its_generator():
    shown = batches(said())
    first, second = (shown.draw(1, torch.Generator().manual_seed(5)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("anywhere", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_a_pasted_defect_is_labelled_where_it_is_seen(anywhere, seed):
    rng = np.random.default_rng(seed)
    base = np.full((1, SIZE, SIZE), -0.5, np.float32)
    label = np.zeros((SIZE, SIZE), np.uint8)
    label[9:17, 9:17], label[10:16, 10:16] = IGNORED, CHANGED
    image = np.where(label == CHANGED, 0.8, -0.4)[None].astype(np.float32)
    changed, where = paste(base, image, label, rng, anywhere=anywhere)
    assert set(np.unique(where)) <= {UNCHANGED, CHANGED, IGNORED} and (where == CHANGED).any()
    assert np.abs(changed - base)[0][where == UNCHANGED].max() < 0.1
    assert (changed - base)[0][where == CHANGED].mean() > 0.5
    rows = np.flatnonzero((where == CHANGED).any(1))
    if not anywhere:
        assert rows[0] >= 10 - 4 and rows[-1] <= 15 + 4


@pytest.mark.parametrize("size", [(64, 64), (20, 30), (64, 20)])
def test_a_thin_crack_stays_a_defect_on_a_smaller_canvas(size):
    mask = torch.zeros(200, 300)
    mask[100, 50:250] = 1
    label = labelled(mask, size, drawn=True)
    assert label.shape == size and (label == CHANGED).sum() >= size[1] // 3
    assert (label[: size[0] // 4] == UNCHANGED).all()


@pytest.mark.parametrize("share", [0.0, 0.5, 2.0])
def test_where_nobody_drew_only_the_oddest_places_are_spoken_of(share):
    found = share * torch.rand(40, 40, generator=torch.Generator().manual_seed(0))
    found[5:9, 5:9] += 9
    label = labelled(oddest(found, (80, 80)), (40, 40), drawn=False)
    assert (label[5:9, 5:9] == CHANGED).all() and (label == CHANGED).sum() <= 25
    assert (label != UNCHANGED).all()


def test_what_was_trained_stays_as_it_was(tmp_path):
    settings = tiny.ddm_settings()
    torch.manual_seed(0)
    trained = Ensemble(1, settings)
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    after = refine(trained, batches(said()), settings, tiny.COMPUTE, seed=0,
                   checkpoint=tmp_path / "checkpoint.safetensors")
    assert all(torch.equal(value, before[name]) for name, value in trained.state_dict().items())
    assert any(not torch.equal(value, before[name]) for name, value in after.state_dict().items())


def test_pictures_are_left_out_whole():
    rest = said(3, 4).without([1], [0, 3])
    assert sorted(set(rest.real.picture.tolist())) == [0, 2] and rest.alarm.tolist() == [1, 2]
