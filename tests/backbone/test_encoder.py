"""From images to features: shapes, grey, batches, and the same bits after a round trip."""

import pytest
import safetensors
import tiny
import torch

from hdm.backbone import encoder as encoder_module
from hdm.backbone import weights
from hdm.backbone.encoder import AT_ONCE, Encoder, as_pixels, joined
from hdm.errors import HDMError

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def published():
    pytest.importorskip(weights.PACKAGE)
    return Encoder.published(CPU)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(32, 32), (64, 48), (256, 272)])
def test_features_are_152_at_an_eighth_of_the_side(published, size, channels):
    features = published.encode(torch.rand(2, channels, *size) * 2 - 1)
    assert features.shape == (2, 152, size[0] // 8, size[1] // 8)
    assert features.dtype == torch.float32 and features.isfinite().all()
    assert features.std((0, 2, 3)).min() > 0, "each of them says something"


def test_grey_is_grey_three_times(published):
    grey = tiny.textures(2, 64)
    assert torch.equal(published.encode(grey), published.encode(grey.repeat(1, 3, 1, 1)))


def test_the_range_of_a_line_becomes_that_of_a_picture():
    assert as_pixels(torch.tensor([-1.0, 0.0, 1.0]).view(1, 1, 1, 3))[0, :, 0].tolist() == \
        [[0, 127.5, 255]] * 3
    colour = torch.randn(1, 3, 2, 2)
    torch.testing.assert_close(as_pixels(colour), 127.5 * colour + 127.5)


def test_the_coarse_stage_lies_over_the_fine_one():
    fine, slope = torch.zeros(1, 1, 4, 6), torch.arange(3.0).expand(1, 1, 2, 3)
    found = joined(fine, slope)
    assert found.shape == (1, 2, 4, 6)
    assert found[0, 1, 2].tolist() == pytest.approx([0, 0.25, 0.75, 1.25, 1.75, 2])


def test_an_image_has_the_same_features_in_any_batch(published):
    images = tiny.textures(AT_ONCE + 3, 64)
    together = published.encode(images)
    assert len(together) == AT_ONCE + 3
    for number in (0, AT_ONCE - 1, AT_ONCE, AT_ONCE + 2):
        torch.testing.assert_close(together[number:number + 1],
                                   published.encode(images[number:number + 1]), atol=1e-3,
                                   rtol=1e-4)


def test_without_openvino_torch_itself_answers(published, monkeypatch):
    monkeypatch.setattr(encoder_module, "compiled", lambda network, threads: None)
    plain = Encoder(published.network, CPU)
    images = tiny.textures(2, 64)
    torch.testing.assert_close(plain.encode(images), published.encode(images), atol=1e-3, rtol=1e-3)


def test_saved_and_loaded_encodes_bit_identically_without_the_package(tmp_path, monkeypatch,
                                                                      published):
    published.save(tmp_path)
    monkeypatch.setattr(weights, "PACKAGE", "no_such_package_of_weights")
    weights.published_weights.cache_clear()
    images = tiny.textures(2, 64)
    assert torch.equal(Encoder.load(tmp_path, CPU).encode(images), published.encode(images))
    with safetensors.safe_open(tmp_path / "backbone.safetensors", "pt") as file:
        assert "Apache-2.0" in file.metadata()["licence"]


@pytest.mark.parametrize("content", [None, b"", b"no weights"])
def test_missing_and_damaged_files_say_what_to_do(tmp_path, content):
    if content is not None:
        (tmp_path / "backbone.safetensors").write_bytes(content)
    with pytest.raises(HDMError, match=r"backbone\.safetensors cannot be read .*dagm_fit") as error:
        Encoder.load(tmp_path, CPU)
    assert "\n" not in str(error.value)


def test_the_network_is_frozen_and_stays_as_it_was_trained(published):
    assert not published.network.training
    assert not any(parameter.requires_grad for parameter in published.network.parameters())
