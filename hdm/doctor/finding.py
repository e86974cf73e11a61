"""One thing that was looked at, and what is to be done about it."""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from hdm.errors import HDMError

State = Literal["ok", "note", "problem"]


class Finding(NamedTuple):
    """subject: what was looked at. state: `ok`; `note`, works but is worth knowing; `problem`,
    something will fail. sentence: what was found, and the cure where there is one."""

    subject: str
    state: State
    sentence: str


def asked(subject: str, question: Callable[[], str]) -> Finding:
    """`ok` with what `question` returns, or the problem that it raises; HDM's errors say the cure
    themselves."""
    try:
        return Finding(subject, "ok", question())
    except HDMError as error:
        return broken(subject, error)


def broken(subject: str, error: HDMError) -> Finding:
    """The problem that an error of HDM's tells of, on one line."""
    return Finding(subject, "problem", " ".join(str(error).split()))


def problems(findings: list[Finding]) -> Iterator[Finding]:
    """Those that will fail."""
    return (one for one in findings if one.state == "problem")
