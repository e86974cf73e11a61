"""Fixtures of this room: see crafted_line, and the verdict, which takes seconds to import."""

import pytest
from crafted_line import craft, crafted

__all__ = ["craft", "crafted"]


@pytest.fixture(scope="module")
def validate():
    from hdm.validation.verdict import validate
    return validate
