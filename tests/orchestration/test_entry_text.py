"""pipelines.yaml as it was typed, but for one line's entry."""

import pytest
from ruamel.yaml import YAML

from hdm.errors import ConfigError
from hdm.orchestration.entry_text import copied_entry, renamed_entry, without_entry

TEXT = """\
# The plant.
sample_lines: [a, b]
lines:
  # About a.
  a:   # one
    description: >
      Lids
      and covers
    source: {path: "data/a/raw", format: mvtec}   # camera
    inbox: 'data/a/in'
    overrides:
      seed: 7
      # deep

  # Alone.

  # About b.
  b:
    source: {path: data/ab/raw}
"""
FLOW = "lines: {a: {source: {path: x}}, b: {source: {path: y}}}\n"


def lines(text: str) -> dict:
    return YAML(typ="safe").load(text)["lines"]


def test_a_renamed_entry_differs_in_its_name_and_its_own_paths() -> None:
    found = renamed_entry(TEXT, "a", "c")
    assert found == TEXT.replace("[a, b]", "[b]").replace("  a:", "  c:").replace(
        "data/a/", "data/c/")
    assert renamed_entry(FLOW, "b", "c") == FLOW.replace("b:", "c:")


def test_an_entry_goes_with_its_own_comments_and_no_other() -> None:
    rest, taken = without_entry(TEXT, "a")
    assert rest == ("# The plant.\nsample_lines: [b]\nlines:\n\n  # Alone.\n\n  # About b.\n  b:\n"
                    "    source: {path: data/ab/raw}\n")
    assert taken.startswith("  # About a.\n  a:") and taken.endswith("# deep\n")
    nothing, _ = without_entry(without_entry(TEXT, "b")[0], "a")
    assert lines(nothing) == {} and nothing.endswith("# Alone.\n")


def test_a_copied_entry_stands_behind_the_other() -> None:
    found = copied_entry(TEXT, "a", "c", {"source": "x, y: z", "inbox": ""})
    assert list(lines(found)) == ["a", "c", "b"]
    assert lines(found)["c"] == {**lines(TEXT)["a"], "inbox": "",
                                 "source": {"path": "x, y: z", "format": "mvtec"}}
    assert found.count("# About a.") == 1 and found.count("# deep") == 2


@pytest.mark.parametrize("change", [
    lambda text: without_entry(text, "a"), lambda text: copied_entry(text, "a", "c", {})])
def test_what_cannot_be_changed_safely_is_refused(change) -> None:
    with pytest.raises(ConfigError, match=r"pipelines.yaml is written in a way"):
        change(FLOW)
