"""A line without a model, and a look that found drift."""

import json
from pathlib import Path
from typing import Any

import pytest

from hdm.line import Line


@pytest.fixture
def line(tmp_path: Path) -> Line:
    (tmp_path / "params.yaml").write_text("{}")
    (tmp_path / "pipelines.yaml").write_text(json.dumps(
        {"lines": {"plate": {"source": {"path": "raw"}}}}))
    return Line.load("plate", tmp_path)


def stream(name: str, alarm: bool = True) -> dict[str, Any]:
    return {"name": name, "alarm": alarm, "says": f"{name} has changed",
            "began": {"row": 3, "time": "2026-10-01T18:46:00Z"}}


@pytest.fixture
def drift() -> Any:
    """`drift("brightness", model="4")`: a record of `hdm monitor`."""
    def record(*names: str, model: str = "3") -> dict[str, Any]:
        return {"line": "plate", "model": model, "state": "drift" if names else "steady",
                "time": "2026-10-01T19:00:00Z", "threshold": 1.5, "doubt": "",
                "sentence": f"plate, version {model}: {'; '.join(names) or 'no change'}.",
                "streams": [stream("score", alarm=False), *map(stream, names)]}
    return record
