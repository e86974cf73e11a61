"""A real Dask cluster of two workers for the tests of this room."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    pytest.importorskip("distributed")
    from benchmarks.scale.own_cluster import own_cluster

    with own_cluster(tmp_path_factory.mktemp("dask"), 2, Path(__file__).parent) as own:
        yield own.address
