"""A tiny line that was trained, for every test of what follows from a training."""

import pytest
from trained import digests, make_line, run_all

from hdm.pom.generation import sample_evidence


@pytest.fixture(scope="module")
def no_tracking():
    """Neither MLflow nor a long look at each sample: both take longer than the line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HDM_TRACKING", "off")
        short = sample_evidence.PROBE_TRAINING.model_copy(update={"steps": 4})
        patch.setattr(sample_evidence, "PROBE_TRAINING", short)
        yield


@pytest.fixture(scope="module")
def finished(no_tracking, tmp_path_factory):
    """A line all of whose training stages have run, undisturbed, and the digests of its files."""
    line = make_line(tmp_path_factory.mktemp("straight") / "plant")
    run_all(line)
    return line, digests(line)
