"""One DVC stage as a child process, and what its ending means."""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hdm.commands import child

REJECTED_EXIT_CODES = (3, 4)  # DataError and ValidationFailed of hdm/errors.py
FAILED, REJECTED = "Failed", "Rejected data"
TAIL = 40

# Hindrances that go away by themselves; everything else ends the same way when tried again.
PASSING = re.compile(
    r"unable to acquire lock|is busy|database is locked"
    r"|connection (refused|reset|aborted|timed out)|timed out|timeout|remote end closed"
    r"|network is unreachable|no route to host|name resolution|name or service not known"
    r"|temporarily unavailable|service unavailable|bad gateway", re.IGNORECASE)


class StageFailed(Exception):
    """A stage ended badly. `str()` is one sentence for people.

    Attributes: stage, line, sentence, outcome (FAILED or REJECTED), passing (worth another try),
    tail (last lines of output).
    """

    def __init__(self, stage: str, line: str, sentence: str, *, outcome: str = FAILED,
                 passing: bool = False, tail: tuple[str, ...] = ()) -> None:
        super().__init__(f"{stage}@{line}: {sentence}")
        self.stage, self.line, self.sentence = stage, line, sentence
        self.outcome, self.passing, self.tail = outcome, passing, tail


@dataclass
class Transcript:
    """What is remembered of a stage's output while it runs."""

    tail: deque[str]
    sentence: str = ""  # the last `error: ...` of the stage
    complaint: str = ""  # the last `ERROR: ...` of DVC
    exit_code: int | None = None  # of the stage; DVC's own is 255 whatever happened
    result: str = "ran"

    def add(self, text: str) -> None:
        """Take one line of output in."""
        self.tail.append(text)
        if text.startswith("error: "):
            self.sentence = text.removeprefix("error: ")
        elif text.startswith("ERROR: "):
            self.complaint = text.removeprefix("ERROR: ")
            if code := re.search(r"exited with (-?\d+)", text):
                self.exit_code = int(code[1])
        elif "didn't change, skipping" in text:
            self.result = "unchanged"
        elif "is cached - skipping run" in text:
            self.result = "cached"


def run_stage(stage: str, line: str, project: Path, log: Callable[[str], None]) -> str:
    """Bring one stage up to date; every line of output goes to `log` as it comes.

    Returns 'ran', 'unchanged' or 'cached'. Raises StageFailed.
    """
    transcript = Transcript(deque(maxlen=TAIL))
    command = child.dvc("repro", "-s", f"{stage}@{line}")
    with child.running(command, project, capture=True) as process:
        for text in child.lines(process):
            transcript.add(text)
            log(text)
        code = process.wait()
    if code:
        raise failure(stage, line, transcript, code)
    return transcript.result


def failure(stage: str, line: str, transcript: Transcript, code: int) -> StageFailed:
    """Why it failed, in one sentence, and whether another try may help."""
    sentence = transcript.sentence or _without_sentence(transcript, code)
    rejected = transcript.exit_code in REJECTED_EXIT_CODES and bool(transcript.sentence)
    return StageFailed(
        stage, line, sentence, outcome=REJECTED if rejected else FAILED,
        passing=not rejected and bool(PASSING.search(sentence)), tail=tuple(transcript.tail))


def _without_sentence(transcript: Transcript, code: int) -> str:
    """The stage gave no reason: say what is known."""
    killed = transcript.exit_code or 0
    if killed < 0 or killed > 128:
        number = -killed if killed < 0 else killed - 128
        return (f"killed by signal {number} (9 is often a lack of memory); "
                "the same run continues where it stopped.")
    said = [text.strip() for text in transcript.tail if not text.startswith("ERROR: ")]
    if transcript.exit_code is None:  # DVC itself objects: a lock, a missing file, a bad dvc.yaml
        return transcript.complaint or (f"{said[0]} (DVC ended with exit code {code})" if said
                                        else f"DVC ended with exit code {code} and said nothing.")
    last = said[-1] if said else "it said nothing"
    return f"{last} (the stage ended with exit code {transcript.exit_code})"
