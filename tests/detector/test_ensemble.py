"""Discriminators that answer together, and one that looks at an image from four sides."""

import pytest
import tiny
import torch

from hdm.backbone.lite0 import CHANNELS
from hdm.detector.ensemble import Ensemble, blind, logits

SEEN = tiny.textures(3)


def ensemble(members=2, *, seeing=False):
    made = Ensemble(1, tiny.ddm_settings(members=members), seeing=seeing)
    return tiny.randomised(made, 0, scale=0.1).eval()


def test_mean_of_the_members_is_the_answer():
    network = ensemble()
    with torch.no_grad():
        together, (one, two) = network(SEEN), (member(SEEN) for member in network.members)
    torch.testing.assert_close(together, (one + two) / 2)
    assert together.shape == (3, 1, 32, 32) and not torch.equal(one, two)


def test_mirrorings_are_turned_back_and_averaged():
    def sloping(images, stages):
        """What it sees, and odds that rise to the right by 1 and downwards by 10."""
        slope = torch.arange(32.0).view(1, 1, 1, 32) + 10 * torch.arange(32.0).view(1, 1, 32, 1)
        return images + slope

    torch.testing.assert_close(logits(sloping, SEEN, blind, mirrored=False), sloping(SEEN, ()))
    torch.testing.assert_close(logits(sloping, SEEN, blind, mirrored=True), SEEN + 15.5 + 155)


@pytest.mark.parametrize("seeing", [False, True])
def test_of_mirrored_images_the_answers_are_mirrored(seeing):
    network, look = ensemble(1, seeing=seeing), tiny.encoder().stages if seeing else blind
    with torch.no_grad():
        straight, once = (logits(network, SEEN, look, mirrored=all_) for all_ in (True, False))
        for axes in ((3,), (2,), (2, 3)):
            turned = SEEN.flip(axes)
            found = logits(network, turned, look, mirrored=True).flip(axes)
            torch.testing.assert_close(found, straight, atol=1e-4, rtol=1e-4)
            alone = logits(network, turned, look, mirrored=False).flip(axes)
            assert not torch.allclose(alone, once, atol=1e-2)


def test_what_the_encoder_sees_decides_along_with_the_image():
    network = ensemble(1, seeing=True)
    stages = tiny.encoder().stages(SEEN)
    assert [stage.shape[1] for stage in stages] == list(CHANNELS)
    with torch.no_grad():
        one, other = network(SEEN, stages), network(SEEN, [-stage for stage in stages])
    assert not torch.allclose(one, other, atol=1e-2)
