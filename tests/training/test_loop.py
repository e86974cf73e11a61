"""The training loop: learning rate, averaged weights, resume, and what stops it."""

import math
from itertools import count
from types import SimpleNamespace

import pytest
import safetensors
import tiny
import torch
from torch import nn

from hdm.diffusion.unet import UNet
from hdm.errors import TrainingError
from hdm.model_settings import Training
from hdm.training import loop
from hdm.training.loop import learning_rate, step_generator, train
from hdm.training.resume_point import HASH


class Killed(BaseException):
    """Nothing but the outermost code may catch it, as with a signal."""


def network() -> nn.Module:
    torch.manual_seed(0)
    return UNet(1, 1, tiny.NETWORK.model_copy(update={"widths": (16, 24)})).to(
        memory_format=torch.channels_last)


def draw(step, generator):
    return (torch.randn(2, 1, 16, 16, generator=generator),)


def reconstruct(model, batch):
    error = (model(batch[0]) - batch[0].flip(3)).pow(2).mean()
    return {"loss": error, "twice": 2 * error}


@pytest.fixture
def hasty(monkeypatch):
    """A clock that runs so fast that every step is a resume point."""
    # The loop's own clock, not the process's: threads of libraries wait by that one.
    clock = SimpleNamespace(monotonic=count(0, 1000).__next__)
    monkeypatch.setattr(loop, "time", clock)


def test_learning_rate_warms_up_then_falls_as_a_cosine():
    settings = Training(steps=400, learning_rate=0.01)
    assert learning_rate(0, settings) == pytest.approx(0.01 / 20)
    assert learning_rate(9, settings) == pytest.approx(0.005)
    assert learning_rate(19, settings) == pytest.approx(0.01)
    assert learning_rate(20, settings) == pytest.approx(0.01)
    assert learning_rate(210, settings) == pytest.approx(0.01 * (0.01 + 0.99 / 2))
    assert learning_rate(305, settings) == pytest.approx(
        0.01 * (0.01 + 0.99 * (1 + math.cos(0.75 * math.pi)) / 2))
    assert learning_rate(400, settings) == pytest.approx(0.0001)
    rates = [learning_rate(step, settings) for step in range(20, 400)]
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_short_runs_have_a_positive_rate(steps):
    settings = Training(steps=steps)
    rates = [learning_rate(step, settings) for step in range(steps)]
    assert rates[0] == settings.learning_rate and min(rates) > 0


def test_generator_of_a_step_depends_on_seed_and_step_alone():
    def draw(seed, step):
        return torch.randn(3, generator=step_generator(seed, step)).tolist()
    assert draw(1, 5) == draw(1, 5)
    assert len({tuple(draw(seed, step)) for seed in range(4) for step in range(25)}) == 100
    assert draw(2**62, 10**9) == draw(2**62, 10**9)


def test_average_is_the_exponential_mean_of_the_weights(tmp_path):
    """Replayed by hand: a half-life of a quarter of 8 steps is a decay of 2^(-1/2) a step."""
    model, seen = nn.Linear(2, 1), []

    def objective(copy, batch):
        if copy is model:
            seen.append(model.weight.detach().clone())
        return {"loss": copy(batch[0]).pow(2).mean()}

    average = train(model, lambda step, generator: (torch.randn(4, 2, generator=generator),),
                    objective, Training(steps=8, ema_half_life=0.25), seed=0,
                    checkpoint=tmp_path / "c")
    weights = [*seen[1:], model.weight.detach()]  # after each step
    expected = weights[0]
    for weight in weights[1:]:
        expected = 2**-0.5 * expected + (1 - 2**-0.5) * weight
    torch.testing.assert_close(average.weight, expected)
    assert not torch.equal(average.weight, model.weight) and not average.training


def test_another_optimiser_may_be_made(tmp_path):
    """Plain descent, by hand: a step of the rate times the gradient."""
    model, weights = nn.Linear(1, 1, bias=False), []

    def objective(copy, batch):
        if copy is model:
            weights.append(model.weight.item())
        return {"loss": copy(batch[0]).mean()}

    def descent(trained, rate):
        assert trained is model and rate == 0.5
        return [torch.optim.SGD(trained.parameters(), lr=rate)]

    train(model, lambda step, generator: (torch.full((2, 1), 0.5),), objective,
          Training(steps=2, learning_rate=0.5), seed=0, checkpoint=tmp_path / "c", make=descent)
    assert weights[1] == pytest.approx(weights[0] - 0.5 * 0.5)


def test_training_lowers_the_loss_and_reports_means(tmp_path):
    model, told, terms = network(), [], {}

    def objective(copy, batch):
        answer = reconstruct(copy, batch)
        terms.setdefault(copy is model, []).append(answer["loss"].item())
        return answer

    train(model, draw, objective, Training(steps=45, learning_rate=0.01), seed=0,
          checkpoint=tmp_path / "c",
          report=lambda step, values: told.append((step, values)))
    assert [step for step, _ in told] == [20, 40, 45]
    losses = [(one + two) / 2 for one, two in zip(terms[True], terms[False], strict=True)]
    for (_, values), part in zip(told, (losses[:20], losses[20:40], losses[40:]), strict=True):
        assert values["loss"] == pytest.approx(sum(part) / len(part))
        assert values["twice"] == pytest.approx(2 * values["loss"])
    assert told[-1][1]["loss"] < told[0][1]["loss"]


@pytest.mark.parametrize("killed_after", [1, 20, 22])
def test_killed_and_resumed_is_bit_identical_to_straight(tmp_path, monkeypatch, hasty,
                                                         killed_after):
    settings = Training(steps=26, learning_rate=0.01)

    def run(file, kill=None):
        model, told = network(), []
        save = loop._save

        def save_then_die(checkpoint, step, *rest):
            save(checkpoint, step, *rest)
            if step == kill:
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(loop, "_save", save_then_die)
            average = train(model, draw, reconstruct, settings, seed=7, checkpoint=file,
                            report=lambda *entry: told.append(entry))
        return model, average, told

    straight = run(tmp_path / "straight")
    with pytest.raises(Killed):
        run(tmp_path / "killed", kill=killed_after)
    resumed = run(tmp_path / "killed")
    for ours, theirs in zip(resumed[:2], straight[:2], strict=True):
        for name, value in theirs.state_dict().items():
            assert torch.equal(ours.state_dict()[name], value), name
    assert resumed[2] == straight[2], "the loss curve is whole again"


def test_finished_training_is_not_done_again(tmp_path):
    """Another network may have to be trained after it, and be killed."""
    def run(told):
        return train(network(), draw, reconstruct, Training(steps=5), seed=0,
                     checkpoint=tmp_path / "c", report=lambda *entry: told.append(entry))

    told, again = [], []
    done = run(told).state_dict()

    def refused(*_):
        raise AssertionError("a step was made")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop.Shards, "backward", refused)
        resumed = run(again).state_dict()
    assert all(torch.equal(v, resumed[k]) for k, v in done.items()) and again == told


def test_resume_point_holds_plain_tensors_only(tmp_path, monkeypatch, hasty):
    model = network()
    train(model, draw, reconstruct, Training(steps=4), seed=0, checkpoint=tmp_path / "c.st")
    plain = tmp_path.with_suffix(".st")
    plain.write_bytes((tmp_path / "c.st").read_bytes()[HASH:])
    with safetensors.safe_open(plain, "pt") as file:  # refuses pickles
        keys = set(file.keys())
        assert int(file.get_tensor("step")) == 4
    assert {key.split(".")[0] for key in keys} == {"model", "average", "optimizer", "step",
                                                   "history"}
    assert sorted(one.name for one in tmp_path.iterdir()) == ["c.before", "c.st"], \
        "no temporary file is left"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_non_finite_loss_stops_before_the_weights_change(tmp_path, value):
    model, before = network(), []

    def broken(step, generator):
        return *draw(step, generator), torch.full((2,), 1.0 if step < 3 else value)

    def objective(copy, batch):
        *batch, factor = batch
        if not factor.isfinite().all():
            before.append({k: v.detach().clone() for k, v in model.named_parameters()})
        return {"loss": reconstruct(copy, batch)["loss"] * factor.mean()}

    with pytest.raises(TrainingError, match=r"step 3: the loss is .*learning_rate"):
        train(model, broken, objective, Training(steps=10), seed=0, checkpoint=tmp_path / "c")
    assert all(torch.equal(v, before[0][k]) for k, v in model.named_parameters())
