"""A line of which commands are ordered, and that its commands are small scripts."""

import time
from pathlib import Path

import pytest

from hdm.home import orders
from hdm.line import Line
from hdm.pipelines import ProductLine, Source
from hdm.settings import Params

HDM = ("import os, sys, time\n"
       "print(*sys.argv[1:], os.environ['HDM_ACTOR'], flush=True)\n"
       "if 'sleep' in sys.argv: time.sleep(60)\n"
       "sys.exit(3 if 'fail' in sys.argv else 0)\n")
"""Prints its words and who asked, and sleeps or fails."""


def ordering_line(folder: Path, monkeypatch: pytest.MonkeyPatch, **programs: str) -> Line:
    """A line in `folder` whose programs, hdm and those that are given, are these scripts."""
    for name, code in {"hdm": HDM, **programs}.items():
        (folder / name).mkdir()
        (folder / name / "__init__.py").touch()
        (folder / name / "__main__.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return Line("plate", folder, ProductLine(source=Source(path="raw")), Params())


def wait_for_end(line: Line, seconds: float = 20) -> orders.Order:
    """The line's order, once it is known how it ended."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        order = orders.last(line)
        assert order
        if order.ended is not None:
            return order
        time.sleep(0.02)
    raise AssertionError(orders.last(line))
