"""What people said teaches nothing where the line is not inspected."""

import numpy as np
import pytest
import tiny
import torch

from hdm.dagm.bank import synthesize
from hdm.dagm.feedback_images import load_feedback
from hdm.dagm.mask_codes import CHANGED, IGNORED, NOT_INSPECTED
from hdm.dagm.real_defects import load_defects
from hdm.dataset.ignore_mask import IgnoreMask
from hdm.dataset.manifest import Manifest, Row
from hdm.ddm.batches import Batches
from hdm.ddm.feedback_batches import FeedbackBatches, paste
from hdm.model_settings import Benign, DagmSynthesize

SIDE = 64
HIDDEN = np.zeros((SIDE, SIDE), bool)
HIDDEN[:, :24] = True
STILL = Benign(contrast=0, brightness=0, shading=0, noise=0, turn=0, scale=0, shift=0)
ACROSS, BESIDE, WITHIN = (slice(20, 40), slice(14, 44)), (slice(20, 40), slice(30, 50)), (
    slice(20, 40), slice(4, 20))


def form(fit: str = "resize", scale: float = 1.0):
    return tiny.input_format(fit=fit, scale=scale, ignored=IgnoreMask.of(HIDDEN).text())


def pictures(folder, *boxes, masked: bool = True) -> Manifest:
    """Noise that brightens from the left, with a bright box each; None for a good picture."""
    rows = []
    for number, box in enumerate(boxes):
        rng = np.random.default_rng(number)
        image = rng.integers(60, 120, (SIDE, SIDE)).astype(np.uint8)
        mask = np.zeros((SIDE, SIDE), np.uint8)
        name = f"{number}-{'good' if box is None else 'dent'}.png"
        if box is not None:
            image[box], mask[box] = 230, 255
            tiny.write_png(folder / f"mask-{name}", mask)
        tiny.write_png(folder / name, image)
        rows.append(Row(name, "holdout", int(box is not None), "good" if box is None else "dent",
                        f"mask-{name}" if box is not None and masked else None, name, SIDE, SIDE,
                        1, 8, 8, f"{number:064}"))
    return Manifest.of(rows, folder, folder)


@pytest.mark.parametrize(("fit", "scale"), [("resize", 1.0), ("tile", 1.0), ("tile", 0.8)])
@pytest.mark.parametrize("masked", [True, False])
def test_labels_say_what_is_not_inspected(tmp_path, fit, scale, masked) -> None:
    """Where nobody drew the defect, the map glows in ignored places, too, and is not believed."""
    def glowing(image: torch.Tensor) -> torch.Tensor:
        return image.mean(0) + 9 * (torch.linspace(0, 1, image.shape[-1]) < 0.3)

    found = load_defects(pictures(tmp_path, ACROSS, BESIDE, masked=masked), form(fit, scale),
                         glowing, seed=0)
    assert set(found.picture.tolist()) == {0, 1}
    assert all((label == CHANGED).any() for label in found.labels)
    if fit == "resize":
        hidden = torch.zeros(32, 32, dtype=torch.bool)
        hidden[:, :12] = True
        assert torch.equal(found.labels == NOT_INSPECTED, hidden.expand_as(found.labels))
    if masked or fit == "resize":
        assert found.images[:, 0][found.labels == CHANGED].mean() > 0.8


@pytest.mark.parametrize("fit", ["resize", "tile"])
@pytest.mark.parametrize("kept", [(), (BESIDE,), (ACROSS, BESIDE)])
def test_a_defect_that_lies_there_whole_is_no_defect(tmp_path, fit, kept) -> None:
    found = load_defects(pictures(tmp_path, *kept, WITHIN), form(fit), lambda image: image.mean(0),
                         seed=0)
    assert sorted(set(found.picture.tolist())) == list(range(len(kept)))


@pytest.mark.parametrize("fit", ["resize", "tile"])
@pytest.mark.parametrize(("defects", "alarms"), [(2, 2), (0, 3), (1, 0)])
def test_batches_give_no_weight_there(tmp_path, fit, defects, alarms) -> None:
    own = form(fit)
    (tmp_path / "bad").mkdir()
    (tmp_path / "good").mkdir()
    said = load_feedback(pictures(tmp_path / "bad", *[ACROSS, BESIDE][:defects]),
                         pictures(tmp_path / "good", *[None] * alarms), own,
                         lambda image: image.mean(0), seed=0)
    assert said.ignored is not None and said.ignored.shape == (len(said.alarms), 32, 32)
    normals, hidden = tiny.textures(6), torch.zeros(6, 32, 32, dtype=torch.bool)
    hidden[:, :, :12] = True
    bank = synthesize(normals, ["train"] * 6, DagmSynthesize(samples=10), {"fill": 1.0}, seed=0,
                      ignored=hidden)
    shown = FeedbackBatches(
        Batches(normals, bank, torch.arange(10), tiny.ddm_settings(), STILL, hidden), said,
        anywhere=fit == "tile")
    for step in range(6):
        seen, mask, weight = shown.draw(step, torch.Generator().manual_seed(step))
        assert not mask[weight == 0].any()
        if fit == "resize":
            assert not weight[..., :12].any() and weight[..., 12:].any()
            continue
        for number, image in enumerate(seen):
            for alarm, ignored in zip(said.alarms, said.ignored, strict=True):
                if torch.equal(image, alarm):
                    assert torch.equal(weight[number, 0] == 0, ignored)


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_pasted_there_or_from_there(seed) -> None:
    base, image = np.full((1, 32, 32), -0.5, np.float32), np.full((1, 32, 32), -0.4, np.float32)
    label = np.zeros((32, 32), np.uint8)
    label[9:17, 14:22], label[10:16, 15:21], label[:, :12] = IGNORED, CHANGED, NOT_INSPECTED
    image[0][label == CHANGED], image[0][label == NOT_INSPECTED] = 0.8, 3.0
    hidden = np.zeros((32, 32), bool)
    hidden[:, :12] = True
    changed, where = paste(base, image, label, np.random.default_rng(seed), anywhere=seed % 2 == 0,
                           ignored=hidden)
    assert np.array_equal(changed[:, hidden], base[:, hidden])
    assert np.array_equal(where == NOT_INSPECTED, hidden)
    assert changed.max() < 1.0, "nothing of what was not inspected came along"


def test_pictures_that_are_left_out_take_their_masks_along(tmp_path) -> None:
    said = load_feedback(Manifest.of([], tmp_path, tmp_path),
                         pictures(tmp_path, None, None, None), form("tile"), lambda image: image[0],
                         seed=0)
    rest = said.without([], [1])
    assert rest.alarm.unique().tolist() == [0, 2] and len(rest.ignored) == len(rest.alarms)
    assert torch.equal(rest.ignored, said.ignored[said.alarm != 1])
