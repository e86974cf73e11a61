"""The detector that answers for a line while a command runs: it follows the champion."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from hdm.commands.detector_loading import load_detector
from hdm.commands.exit_codes import sentence
from hdm.commands.model_choice import named
from hdm.line import Line
from hdm.registry.answering import Choice, answering, champion_or_why

if TYPE_CHECKING:
    from hdm.detector.detector import HDM

POLL, RETRY = 5.0, 60.0
"""Seconds between two looks at the registry, and before a version that did not load is tried again.
"""


class FollowedModel:
    """detector, version: what answers now. note: what a user must be told of it, or "".

    Raises as `answering` does where there is nothing to begin with; later whatever goes wrong with
    the registry is told, and the version in memory goes on.
    """

    def __init__(self, line: Line, choice: Choice,
                 clock: Callable[[], float] = time.monotonic) -> None:
        self.line, self._clock = line, clock
        self._follows = not choice.version
        self._problem, self._next = "", 0.0
        self.detector: HDM
        self.version, self.note = "", ""
        self._load(choice)

    def look(self) -> str:
        """Follow the champion, if it is time to look; returns what is to be told, mostly ""."""
        if not self._follows or self._clock() < self._next:
            return ""
        self._next = self._clock() + POLL
        before = self.version
        try:
            version, _ = champion_or_why(self.line)
            if version in (None, self.version):
                self._problem = ""
                return ""
            self._load(Choice(str(version)))
        except Exception as error:  # damaged files may raise anything
            self._next = self._clock() + RETRY
            problem = f"{sentence(error)} {named(self.version).capitalize()} goes on judging."
            told, self._problem = problem != self._problem, problem
            return problem if told else ""
        self._problem = ""
        return f"{named(self.version)} judges in place of {named(before)}"

    def _load(self, choice: Choice) -> None:
        with answering(self.line, choice) as found:
            self.detector = load_detector(self.line, found)
        self.version, self.note = found.version, found.note
        self._next = self._clock() + POLL
