"""SECURITY.md names tests and benchmarks that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_every_promise_names_what_tests_it() -> None:
    rows = [line for line in PAGE.split("## What is promised")[1].split("\n## ")[0].splitlines()
            if line.startswith("| **")]
    named = [re.findall(r"`((?:tests|benchmarks)/[^`]+)`", row) for row in rows]
    assert len(rows) > 10 and all(named)
    assert [path for paths in named for path in paths if not (ROOT / path).exists()] == []
