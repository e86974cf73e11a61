"""The line's diffusion prior for the baselines that use nothing else, trained for the budget."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.quality.flop import of_training
from benchmarks.quality.methods.method import Task
from hdm.dagm.prior_training import fit
from hdm.diffusion.normal_prior import NormalPrior
from hdm.model_settings import DagmFit

TIMED_STEPS = (4, 24)


@contextmanager
def fresh_checkpoint(task: Task, name: str) -> Iterator[Path]:
    """A resume point that no earlier run has written."""
    with TemporaryDirectory(dir=task.scratch) as folder:
        yield Path(folder) / f"{name}.safetensors"


def short(settings: DagmFit, steps: int) -> DagmFit:
    """The same settings with another number of steps."""
    training = settings.training.model_copy(update={"steps": steps})
    return settings.model_copy(update={"training": training})


def fit_steps(task: Task, steps: int) -> NormalPrior:
    """HDM's own prior, trained for `steps`."""
    with fresh_checkpoint(task, "prior") as checkpoint:
        return fit(task.train, task.form, short(task.params.dagm_fit, steps), task.params.compute,
                   seed=task.seed, checkpoint=checkpoint)


def fit_budget(task: Task) -> tuple[NormalPrior, int]:
    """The prior after as many steps as fit into the budget, and how many these were.

    HDM spends most of its time on its discriminator; a baseline that has only the prior gets all
    of that time for it, as a whole schedule of warm-up and cosine.
    """
    assert task.seconds is not None
    begun = perf_counter()
    ends = []
    for steps in TIMED_STEPS:
        start = perf_counter()
        fit_steps(task, steps)
        ends.append(perf_counter() - start)
    step = max(1e-4, (ends[1] - ends[0]) / (TIMED_STEPS[1] - TIMED_STEPS[0]))
    steps = max(1, int((task.seconds - (perf_counter() - begun)) / step))
    return fit_steps(task, steps), steps


def flop(task: Task, steps: int) -> float:
    """Operations of `fit_steps`."""
    return of_training(lambda count: fit_steps(task, count), steps)
