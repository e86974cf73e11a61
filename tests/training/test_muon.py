"""Muon: orthogonal steps of a stated size for matrices, AdamW for the rest."""

import pytest
import tiny
import torch
from torch import nn

from hdm.diffusion.unet import UNet
from hdm.training.muon import ADAM_SIZE, MOMENTUM, WEIGHT_DECAY, Muon, optimizers, orthogonalise


@pytest.mark.parametrize("shape", [(8, 8), (8, 40), (40, 8)])
def test_orthogonalised_singular_values_are_about_one(shape):
    torch.manual_seed(0)
    matrix = torch.randn(shape)
    u, s, v = torch.linalg.svd(orthogonalise(matrix), full_matrices=False)
    assert s.min() > 0.6 and s.max() < 1.25
    polar = torch.linalg.svd(matrix, full_matrices=False)
    torch.testing.assert_close(orthogonalise(1000 * matrix), orthogonalise(matrix))
    cosine = (orthogonalise(matrix) * (polar.U @ polar.Vh)).sum() / (u @ v).norm() / s.norm()
    assert cosine > 0.97, "the directions are those of the polar factor"


def test_first_step_has_the_stated_size_and_goes_downhill():
    torch.manual_seed(0)
    weight = nn.Parameter(torch.randn(16, 4, 3, 3))
    weight.grad = torch.randn_like(weight)
    before = weight.detach().clone()
    Muon([weight], lr=0.01).step()
    change = weight.detach() - before * (1 - 0.01 * WEIGHT_DECAY)
    # An orthogonal (16, 36) matrix has mean square 1 / 36: times 36 and 0.2 squared.
    assert change.pow(2).mean().sqrt().item() == pytest.approx(0.01 * ADAM_SIZE, rel=0.15)
    assert (change * weight.grad).sum() < 0


def test_momentum_is_nesterov_s():
    weight = nn.Parameter(torch.zeros(8, 8))
    optimizer = Muon([weight], lr=0.0)
    first, second = torch.eye(8), torch.diag(torch.arange(8.0))
    for gradient in (first, second):
        weight.grad = gradient
        optimizer.step()
    expected = MOMENTUM * (1 - MOMENTUM) * first + (1 - MOMENTUM) * second
    torch.testing.assert_close(optimizer.state[weight]["momentum"], expected)


def test_every_parameter_is_taken_once_and_small_ones_by_adamw():
    model = UNet(1, 1, tiny.NETWORK)
    muon, adam = optimizers(model, 0.001)
    taken = [p for o in (muon, adam) for group in o.param_groups for p in group["params"]]
    assert {id(p) for p in taken} == {id(p) for p in model.parameters()}
    assert len(taken) == len(list(model.parameters()))
    assert isinstance(muon, Muon) and all(p.ndim == 4 for p in muon.param_groups[0]["params"])
    assert len(optimizers(nn.Linear(2, 1), 0.001)) == 1


def test_parameters_without_a_gradient_stay():
    weight = nn.Parameter(torch.ones(8, 8))
    Muon([weight], lr=0.1).step()
    assert torch.equal(weight, torch.ones(8, 8))
