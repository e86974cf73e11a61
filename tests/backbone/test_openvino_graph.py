"""The graph that is built layer by layer computes what torch does."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from hdm.backbone.lite0 import Lite0
from hdm.backbone.openvino_graph import compiled
from hdm.backbone.weights import PACKAGE, published_weights


@pytest.fixture(scope="module")
def network():
    pytest.importorskip(PACKAGE)
    made = Lite0().eval().requires_grad_(False)
    made.load(published_weights())
    return made


@pytest.fixture(scope="module")
def run(network):
    pytest.importorskip("openvino")
    return compiled(network, 1)


@pytest.mark.parametrize("shape", [(1, 32, 32), (3, 64, 48), (2, 256, 256), (1, 272, 336)])
def test_it_equals_torch_at_every_size(network, run, shape):
    count, height, width = shape
    pixels = 255 * torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(0))
    for expected, found in zip(network(pixels), run(pixels.numpy()), strict=True):
        assert expected.std() > 0.1, "the limit below means something"
        torch.testing.assert_close(torch.from_numpy(found), expected, atol=1e-3, rtol=1e-3)


def test_it_does_not_matter_how_the_pixels_lie_in_memory(run):
    pixels = 255 * torch.rand(1, 3, 32, 64, generator=torch.Generator().manual_seed(0))
    turned = pixels.contiguous(memory_format=torch.channels_last)
    for one, other in zip(run(pixels.numpy()), run(turned.numpy()), strict=True):
        assert (one == other).all()


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
                    reason="needs two processors, and a system that says on which a thread runs")
def test_its_threads_run_on_any_processor(run):
    """Bound ones share the first of them with those of every other process."""
    pixels = torch.zeros(4, 3, 256, 256).numpy()
    allowed, seen = os.sched_getaffinity(0), []
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(lambda: [run(pixels) for _ in range(5)])
        while not working.done():
            seen += map(affinity, Path("/proc/self/task").iterdir())
    assert {processor for processor in seen if processor} == {frozenset(allowed)}


def affinity(task):
    with suppress(OSError):  # it has ended
        return frozenset(os.sched_getaffinity(int(task.name)))


def test_without_openvino_there_is_no_graph(network, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert compiled(network, 1) is None
