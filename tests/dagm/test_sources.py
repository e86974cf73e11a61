"""Sources of anomalous content: finite, of the right shape, and what their names say."""

import numpy as np
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from hdm.dagm.sources import SOURCES
from hdm.model_settings import DagmSynthesize


@settings(max_examples=60, deadline=None, derandomize=True)
@given(name=st.sampled_from(sorted(SOURCES)), seed=st.integers(0, 2**32 - 1),
       channels=st.sampled_from([1, 3]), size=st.tuples(st.integers(32, 70), st.integers(32, 70)),
       kind=st.sampled_from(["flat", "noise", "range"]))
def test_content_is_finite_and_has_the_images_shape(name, seed, channels, size, kind):
    rng = np.random.default_rng(seed)
    normal = {"flat": np.zeros((channels, *size)), "noise": rng.normal(0, 1, (channels, *size)),
              "range": np.broadcast_to(np.linspace(-3, 3, size[1]), (channels, *size)),
              }[kind].astype(np.float32)
    before = normal.copy()
    content = SOURCES[name](np.random.default_rng(seed), normal, normal[:, ::-1])
    assert content.shape == normal.shape and np.isfinite(content).all()
    assert np.abs(content).max() < 25
    assert np.array_equal(normal, before), "the good image is not written to"
    again = SOURCES[name](np.random.default_rng(seed), normal, normal[:, ::-1])
    assert np.array_equal(content, again)


def test_every_configured_source_exists():
    assert set(DagmSynthesize().sources) == set(SOURCES)


@pytest.fixture(scope="module")
def pair():
    slope = np.linspace(-0.3, 0.3, 48)  # so that no two places are alike
    return tiny.textures(2, 48).numpy() + slope[:, None] + slope


@pytest.mark.parametrize("name", SOURCES)
def test_content_differs_from_the_image(pair, name):
    changes = [np.abs(SOURCES[name](np.random.default_rng(seed), *pair) - pair[0]).mean()
               for seed in range(20)]
    assert np.median(changes) > 0.05


def test_shuffle_keeps_every_value(pair):
    out = SOURCES["shuffle"](np.random.default_rng(1), *pair)
    assert not np.array_equal(out, pair[0])
    assert np.array_equal(np.sort(out, axis=None), np.sort(pair[0], axis=None))


def test_structural_invents_no_value(pair):
    for seed in range(5):
        out = SOURCES["structural"](np.random.default_rng(seed), *pair)
        assert pair[0].min() - 1e-6 <= out.min() and out.max() <= pair[0].max() + 1e-6
