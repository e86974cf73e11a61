"""One DVC stage, or the look into the inbox, as a child process, and what its ending means."""

import math
import re
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hdm.orchestration import child_process
from hdm.orchestration.dvc_lock import keep_whole
from hdm.registry.passing import worth_retrying

REJECTED_EXIT_CODES = (3, 4)  # DataError and ValidationFailed of hdm/errors.py
INBOX, PROBE = "inbox", "store_probe"
UNCHANGED = "unchanged"
FAILED, REJECTED = "Failed", "Rejected data"
TAIL = 40


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
            self.result = UNCHANGED
        elif "is cached - skipping run" in text:
            self.result = "cached"


def run_stage(stage: str, line: str, project: Path, log: Callable[[str], None],
              hours: float = math.inf) -> str:
    """Bring one stage up to date, take the line's inbox in where `stage` is INBOX, or look whether
    the store has what the line registered where it is PROBE; every line of output goes to `log` as
    it comes.

    Returns 'ran', 'unchanged' or 'cached'. Raises StageFailed, also after so many hours.
    """
    transcript = Transcript(deque(maxlen=TAIL))
    if keep_whole(project):
        log("dvc.lock was damaged or lost and has been replaced by its last copy.")
    # DVC looks into the store for all lines at once, which several lines cannot do side by side.
    words = {INBOX: (INBOX, line), PROBE: ("stage", PROBE, line)}.get(stage)
    command = [sys.executable, "-m", "hdm", *words] if words else \
        child_process.repro(line, "-s", f"{stage}@{line}")
    # Prefect's own timeout cannot interrupt a flow that waits in a thread.
    with (child_process.running(command, project, capture=True,
                                owner=owner(line, project)) as process,
          child_process.limited(process, min(hours * 3600, threading.TIMEOUT_MAX)) as over):
        for text in child_process.lines(process):
            transcript.add(text)
            log(text)
        code = process.wait()
    if over.is_set():
        raise StageFailed(
            stage, line, f"stopped after {hours:g} hours, the limit `stage_hours`; raise it if the "
            "stage needs longer. The next run continues where this one stopped, and the last good "
            "outputs are as they were.", tail=tuple(transcript.tail))
    if code:
        if words:  # no DVC is in between
            transcript.exit_code = code
        raise failure(stage, line, transcript, code)
    return transcript.result


def owner(line: str, project: Path) -> str:
    """By what the stages of a line are told from other processes of the machine."""
    return f"{project}:{line}"


def failure(stage: str, line: str, transcript: Transcript, code: int) -> StageFailed:
    """Why it failed, in one sentence, and whether another try may help."""
    sentence = transcript.sentence or _without_sentence(transcript, code)
    rejected = transcript.exit_code in REJECTED_EXIT_CODES and bool(transcript.sentence)
    return StageFailed(
        stage, line, sentence, outcome=REJECTED if rejected else FAILED,
        passing=not rejected and worth_retrying(sentence), tail=tuple(transcript.tail))


def _without_sentence(transcript: Transcript, code: int) -> str:
    """The stage gave no reason: say what is known."""
    killed = transcript.exit_code or min(code, 0)  # the stage's, or DVC's own
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
