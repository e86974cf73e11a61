"""Sources that ingest reads or refuses."""

import pytest
from image_files import fill

from hdm.errors import DataError
from hdm.ingest.build_manifest import ingest
from hdm.pipelines import Source
from hdm.settings import Ingest


def run(source, seed=0, layout="auto", cache=None, progress=None, **settings):
    """`layout` is a format, or all that pipelines.yaml says of the source."""
    if isinstance(layout, str):
        layout = Source(path=str(source), format=layout)
    return ingest(source, layout, Ingest(**settings), seed, cache=cache, progress=progress)


def refused(source, **settings):
    """The one sentence with which `source` is refused."""
    with pytest.raises(DataError) as caught:
        run(source, **settings)
    message = str(caught.value)
    assert "\n" not in message and message.endswith((".", "?"))
    return message


def plain(root, number=24):
    fill(root / "good", number, 0)
    fill(root / "dent", 3, 500)
    return root
