"""A batch in parts: the same gradient, the same statistics, whatever the number of threads."""

import threading
from typing import NamedTuple

import pytest
import tiny
import torch
from torch import Tensor, nn

from hdm.diffusion.unet import UNet
from hdm.training.shards import Shards


class Pair(NamedTuple):
    x: Tensor
    y: Tensor


def pairs(count=8):
    generator = torch.Generator().manual_seed(0)
    return Pair(torch.randn(count, 3, generator=generator),
                torch.randn(count, 1, generator=generator))


def squared(model, batch):
    return {"loss": (model(batch.x) - batch.y).pow(2).mean(), "size": torch.tensor(len(batch.x))}


def linear():
    torch.manual_seed(0)
    return nn.Linear(3, 1)


@pytest.mark.parametrize("count", [1, 2, 7, 8])
def test_gradient_and_terms_are_those_of_the_whole_batch(count):
    model, whole = linear(), linear()
    squared(whole, pairs(count))["loss"].backward()
    with Shards(model) as shards:
        terms = shards.backward(pairs(count), squared)
        again = shards.backward(pairs(count), squared)
    torch.testing.assert_close(model.weight.grad, whole.weight.grad)
    torch.testing.assert_close(model.bias.grad, whole.bias.grad)
    assert terms == again, "nothing is left of the gradient before"
    assert terms["loss"] == pytest.approx(squared(whole, pairs(count))["loss"].item())


def test_parts_are_mixed():
    sizes = []
    batch = Pair(torch.arange(5.0).view(5, 1).expand(5, 3), torch.zeros(5, 1))

    def note(model, part):
        sizes.append(part.x[:, 0].tolist())
        return squared(model, part)

    with Shards(linear()) as shards:
        shards.backward(batch, note)
    assert sorted(sizes) == [[0, 2, 4], [1, 3]]


def test_copies_follow_the_weights():
    model = linear()
    with Shards(model) as shards:
        first = shards.backward(pairs(), squared)
        with torch.no_grad():
            model.weight += 1
        second = shards.backward(pairs(), squared)
    assert second["loss"] != first["loss"]
    assert second["loss"] == pytest.approx(squared(model, pairs())["loss"].item())


def test_running_statistics_are_the_mean_of_the_parts():
    model = nn.BatchNorm1d(1, momentum=1.0, affine=True)
    batch = (torch.tensor([[0.0], [10.0], [2.0], [14.0]]),)
    with Shards(model) as shards:
        shards.backward(batch, lambda copy, part: {"loss": copy(part[0]).pow(2).mean()})
    assert model.running_mean.item() == pytest.approx((1 + 12) / 2)
    assert model.running_var.item() == pytest.approx((2 + 8) / 2)  # unbiased, of two numbers each
    assert model.num_batches_tracked == 1


def test_number_of_threads_decides_nothing_and_is_given_back():
    def gradients(threads):
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        model = UNet(1, 1, tiny.NETWORK)
        nn.init.normal_(model.head.weight)
        generator = torch.Generator().manual_seed(1)
        batch = (torch.randn(6, 1, 32, 32, generator=generator),)
        with Shards(model) as shards:
            shards.backward(batch, lambda copy, part: {"loss": copy(*part).pow(2).mean()})
        assert torch.get_num_threads() == threads
        return [p.grad for p in model.parameters()] + list(model.buffers())

    before = torch.get_num_threads()
    try:
        one, two = gradients(1), gradients(2)
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert all(a.any() for a in one[:4])


def test_a_failing_part_ends_in_its_own_error():
    def fail(model, batch):
        raise ValueError("this part")

    threads = torch.get_num_threads()
    with pytest.raises(ValueError, match="this part"), Shards(linear()) as shards:
        shards.backward(pairs(), fail)
    assert torch.get_num_threads() == threads


def test_on_one_thread_all_is_done_by_the_caller():
    threads, seen = torch.get_num_threads(), set()
    torch.set_num_threads(1)
    try:
        with Shards(linear()) as shards:
            shards.backward(pairs(), lambda model, part: (
                seen.add(threading.get_ident()), squared(model, part))[1])
    finally:
        torch.set_num_threads(threads)
    assert seen == {threading.get_ident()}
