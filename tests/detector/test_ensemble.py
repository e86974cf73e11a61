"""Discriminators that answer together, and one that looks at an image from four sides."""

import tiny
import torch

from hdm.detector.ensemble import Ensemble, logits

SEEN = tiny.textures(3)


def ensemble(members=2):
    return tiny.randomised(Ensemble(1, tiny.ddm_settings(members=members)), 0, scale=0.1).eval()


def test_mean_of_the_members_is_the_answer():
    network = ensemble()
    with torch.no_grad():
        together, (one, two) = network(SEEN), (member(SEEN) for member in network.members)
    torch.testing.assert_close(together, (one + two) / 2)
    assert together.shape == (3, 1, 32, 32) and not torch.equal(one, two)


def test_mirrorings_are_turned_back_and_averaged():
    def sloping(images):
        """What it sees, and odds that rise to the right by 1 and downwards by 10."""
        slope = torch.arange(32.0).view(1, 1, 1, 32) + 10 * torch.arange(32.0).view(1, 1, 32, 1)
        return images + slope

    torch.testing.assert_close(logits(sloping, SEEN, mirrored=False), sloping(SEEN))
    torch.testing.assert_close(logits(sloping, SEEN, mirrored=True), SEEN + 15.5 + 155)


def test_of_mirrored_images_the_answers_are_mirrored():
    network = ensemble(1)
    with torch.no_grad():
        for axes in ((3,), (2,), (2, 3)):
            found = logits(network, SEEN.flip(axes), mirrored=True).flip(axes)
            torch.testing.assert_close(found, logits(network, SEEN, mirrored=True), atol=1e-4,
                                       rtol=1e-4)
            alone = logits(network, SEEN.flip(axes), mirrored=False).flip(axes)
            assert not torch.allclose(alone, logits(network, SEEN, mirrored=False), atol=1e-2)
