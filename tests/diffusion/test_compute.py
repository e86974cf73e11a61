"""Device, precision and threads."""

import pytest
import torch
from threadpoolctl import threadpool_info

from hdm.diffusion.compute import Backend
from hdm.errors import ConfigError
from hdm.model_settings import Compute


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_missing_cuda_is_one_clear_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=r"no CUDA device; set it to 'auto' or 'cpu'"):
        Backend(Compute(device="cuda"))


def test_auto_without_cuda_is_deterministic_fp32_on_the_cpu(monkeypatch, threads):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    backend = Backend(Compute(threads=1))
    assert backend.device.type == "cpu" and not backend.bf16
    assert torch.are_deterministic_algorithms_enabled()
    with backend.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_numpy_keeps_to_one_thread(threads):
    Backend(Compute(device="cpu", threads=2))
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    assert pools and all(pool["num_threads"] == 1 for pool in pools)


def test_threads_are_set(threads):
    Backend(Compute(device="cpu", threads=2))
    assert torch.get_num_threads() == 2


def test_bf16_can_be_asked_for_on_the_cpu(threads):
    with Backend(Compute(device="cpu", precision="bf16", threads=1)).autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16


def test_auto_with_cuda_is_bf16(monkeypatch, threads):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    backend = Backend(Compute(threads=1))
    assert backend.device.type == "cuda" and backend.bf16
    assert not Backend(Compute(threads=1, precision="fp32")).bf16
    assert Backend(Compute(threads=1, device="cpu")).device.type == "cpu"


@pytest.mark.parametrize("units", [True, False])
def test_what_bf16_serves_as_well_is_trained_in_it_where_the_processor_has_units(
        monkeypatch, threads, units):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": units})
    backend = Backend(Compute(device="cpu", threads=1))
    for context, expected in ((backend.training_autocast, units), (backend.autocast, False)):
        with context():
            found = (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
        assert found == (torch.bfloat16 if expected else torch.float32)
    assert not Backend(Compute(device="cpu", precision="fp32", threads=1)).bf16_training


def test_training_is_bf16_wherever_answers_are(monkeypatch, threads):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    assert Backend(Compute(device="cpu", precision="bf16", threads=1)).bf16_training
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert Backend(Compute(threads=1)).bf16_training
