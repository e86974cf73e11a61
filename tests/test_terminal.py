"""What a file's name says to a terminal is shown and not done."""

import io

import pytest
from rich.table import Table

from hdm.commands import exit_codes
from hdm.commands.prediction_table import Row, table
from hdm.console import Console
from hdm.drawing.html import template
from hdm.errors import DataError
from hdm.terminal import harmless, say

HOSTILE = {"erases a line": "\x1b[2K\x1b[1A", "renames the window": "\x1b]0;owned\x07",
           "C1": "\x9b31m", "overwrites": "bad\rgood", "bell": "\x07", "backspaces": "bad\b\b\bok",
           "turns": "\u202egnp.exe"}
COMMANDS = set("\x1b\x9b\x07\b\r\u202e")


@pytest.fixture(params=HOSTILE.values(), ids=HOSTILE.keys())
def name(request) -> str:
    return f"part{request.param}.png"


def test_control_characters_are_shown(name, capsys) -> None:
    say(f"unreadable: {name}")
    shown = capsys.readouterr().out
    assert not COMMANDS & set(shown) and "\\" in shown
    assert harmless("plain\n\tÄ 部品") == "plain\n\tÄ 部品"


def test_errors_are_shown_harmless(name, capsys) -> None:
    exit_codes.report(DataError(f"{name} is cut off."))
    assert not COMMANDS & set(capsys.readouterr().err)


def test_tables_are_shown_harmless_and_keep_their_colours(name) -> None:
    file = io.StringIO()
    console = Console(file=file, width=200, force_terminal=True, color_system="standard")
    shown = Table("image", title=name)
    shown.add_row(name, style="red")
    for what in (shown, table([Row(name)]), name):
        console.print(what)
    text = file.getvalue()
    assert "\x1b[31m" in text and "part" in text
    assert not (COMMANDS - {"\x1b"}) & set(text)
    for attack in ("\x1b[2K", "\x1b[1A", "\x1b]0"):
        assert attack not in text


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "\" onload=\"x", "'><img src=x>"])
def test_pages_escape_names(name) -> None:
    page = template("hdm.monitoring", "drift_page.html.j2").environment.from_string(
        '<a title="{{ name }}">{{ name }}</a>').render(name=name)
    assert name not in page and "<script" not in page and "<img" not in page
