"""The three sample lines, drawn once a session: a small version and the full one."""

from __future__ import annotations

from pathlib import Path

import pytest

from hdm.samples import SAMPLE_LINES, draw_line

SMALL = 0.06


@pytest.fixture(scope="session")
def small_lines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A few images of every line."""
    return _draw(tmp_path_factory.mktemp("small"), SMALL)


@pytest.fixture(scope="session")
def full_lines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All images of every line."""
    return _draw(tmp_path_factory.mktemp("full"), 1.0)


def _draw(root: Path, scale: float) -> dict[str, Path]:
    for name in SAMPLE_LINES:
        draw_line(name, root / name, scale=scale)
    return {name: root / name for name in SAMPLE_LINES}
