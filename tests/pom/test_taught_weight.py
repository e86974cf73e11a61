"""The discriminators' weight is chosen by pictures that were left out of what judges them."""

import numpy as np
import pytest
import tiny
import torch
from torch import nn

from hdm.dagm.feedback_images import load_feedback
from hdm.dataset.manifest import Manifest, Row
from hdm.detector.ddm import DDM
from hdm.diffusion.compute import Backend
from hdm.model_settings import Benign
from hdm.pom.discrimination.building import normality_of
from hdm.pom.discrimination.taught_weight import LEAST, choose_weight

SIZE = 32
GOOD = tiny.textures(24, SIZE)


class Brightness(nn.Module):
    """Logits are how bright (or, negative, how dark) each pixel is."""

    def __init__(self, sign: float) -> None:
        super().__init__()
        self.sign = sign

    def forward(self, images):
        return self.sign * images.mean(1, keepdim=True)


def pictures(folder, count, kind, parts=None):
    """Gratings, those of defects with a bright square."""
    rng, rows = np.random.default_rng(len(kind)), []
    for number in range(count):
        image = 120 + 30 * np.sin(np.arange(SIZE) * 2 * np.pi / 8 + rng.uniform(0, 6)) \
            + rng.normal(0, 2, (SIZE, SIZE))
        if kind != "good":
            image[8:14, 8:14] = 200
        name = f"{kind}{number}.png"
        tiny.write_png(folder / name, np.clip(image, 0, 255).astype(np.uint8))
        rows.append(Row(name, "train" if kind == "good" else "holdout", int(kind != "good"), kind,
                        None, parts[number] if parts else name, SIZE, SIZE, 1, 8, 8,
                        f"{number:064}"))
    return Manifest.of(rows, folder, folder)


def chosen(folder, before: float, after: float, defects=6, parts=None):
    """choose_weight where the base answers `before` and what has learned answers `after`; what was
    learned from in each fold."""
    form = tiny.input_format(SIZE)
    settings = tiny.ddm_settings(normality=False)
    base = DDM(form, tiny.whitened(tiny.prior(), form.canvas_for_encoder(GOOD)),
               Brightness(before), settings, Backend(tiny.COMPUTE))
    bad, good = pictures(folder, defects, "dent", parts), pictures(folder, 3, "good")
    images = load_feedback(bad, good, form, lambda image: image.mean(0), seed=0)
    seen = []

    def refine(rest, name):
        seen.append((name, set(rest.real.picture.tolist()), set(rest.alarm.tolist())))
        return Brightness(after)

    choice = choose_weight(base, refine, images, bad, good, (lambda n: GOOD[n], len(GOOD)),
                           normality_of(base, GOOD, Benign()), GOOD)
    return choice, seen


def test_a_few_defects_choose_nothing(tmp_path):
    choice, seen = chosen(tmp_path, 1.0, 1.0, LEAST - 1)
    assert (choice.taught, choice.learned, seen) == (None, True, [])


@pytest.mark.parametrize("defects", [4, 6, 9])
def test_each_picture_is_left_out_once(tmp_path, defects):
    _, seen = chosen(tmp_path, 1.0, 1.0, defects)
    left = [set(range(defects)) - kept for _, kept, _ in seen]
    assert sorted(number for fold in left for number in fold) == list(range(defects))
    assert len({name for name, _, _ in seen}) == len(seen) == 3


def test_pictures_of_one_part_are_left_out_together(tmp_path):
    _, seen = chosen(tmp_path, 1.0, 1.0, 6, ["a", "b", "a", "b", "c", "a"])
    for _, kept, _ in seen:
        assert len({0, 2, 5} & kept) in (0, 3) and len({1, 3} & kept) in (0, 2)


def test_what_finds_left_out_defects_worse_does_not_answer(tmp_path):
    assert not chosen(tmp_path / "worse", 4.0, -4.0)[0].learned
    assert chosen(tmp_path / "same", 4.0, 4.0)[0].learned
    assert chosen(tmp_path / "better", -4.0, 4.0)[0].learned


def test_a_word_that_is_right_weighs_more_than_one_that_is_wrong(tmp_path):
    right, wrong = (chosen(tmp_path / name, sign, sign)[0].worth
                    for name, sign in (("right", 4.0), ("wrong", -4.0)))
    assert right["0.90"] >= right["0.20"] and wrong["0.90"] <= wrong["0.20"]
    assert right["0.90"] > wrong["0.90"]
    assert torch.isfinite(torch.tensor(list(right.values()))).all()
