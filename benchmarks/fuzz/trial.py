"""Inputs of one kind, tried one after the other in a process that may be ended by one of them."""

import json
import multiprocessing
import os
import resource
import signal
import struct
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from benchmarks.fuzz.mutation import mutated
from benchmarks.fuzz.reading_targets import Target
from hdm.errors import HDMError

LONGEST = 5.0
"""Seconds of processor time of one call; `STUCK` by the clock, as machines are shared."""
STUCK = 600.0
MOST_MEMORY = 2**30


@dataclass
class Outcome:
    """inputs: tried. counts: how many were read, refused, ended by a limit, or are a finding.
    slowest: seconds; memory: bytes that the process had at most beyond its beginning.
    findings: what happened -> numbers of inputs."""

    inputs: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    memory: int = 0
    findings: dict[str, list[int]] = field(default_factory=dict)

    def add(self, kind: str, number: int, what: str = "") -> None:
        """One input's end."""
        self.inputs += 1
        self.counts[kind] += 1
        if kind == "finding":
            self.findings.setdefault(what, []).append(number)


def tried(make: Callable[[], Target], number: int, folder: Path) -> Outcome:
    """Inputs 0 to `number` of a kind; a process that ends is one finding, and another goes on."""
    whole, first = Outcome(), 0
    while first < number:
        place, file = folder / "place", folder / "outcome.json"
        place.write_bytes(struct.pack("<q", first))
        file.unlink(missing_ok=True)
        # A fork costs nothing, which counts where many inputs end their process.
        process = multiprocessing.get_context("fork").Process(
            target=_child, args=(make, first, number, folder))
        process.start()
        code = _watched(process, place)
        reached = _number(place)
        _join(whole, json.loads(file.read_text()) if file.is_file() else {})
        if code == 0:
            break
        # Decoders are tried with the limits of a worker: to be ended by them is what they are for.
        ended = code == -signal.SIGPROF
        whole.add("ended" if ended else "finding", reached, f"the process ended with {code}")
        first = reached + 1
    return whole


def _child(make: Callable[[], Target], first: int, last: int, folder: Path) -> None:
    """In the process: try inputs and write what became of them, again and again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    target, outcome = make(), Outcome()
    place = os.open(folder / "place", os.O_WRONLY)
    start, written = _memory(), time.monotonic()
    for number in range(first, last):
        os.pwrite(place, struct.pack("<q", number), 0)
        data, begun = mutated(target.seeds, number), time.process_time()
        signal.setitimer(signal.ITIMER_PROF, LONGEST)
        try:
            target.call(data)
            outcome.add("read", number)
        except HDMError:
            outcome.add("refused", number)
        except BaseException as crash:
            outcome.add("finding", number, _told(crash))
        outcome.slowest = max(outcome.slowest, time.process_time() - begun)
        if _memory() - start > max(outcome.memory, MOST_MEMORY):
            outcome.add("finding", number, "more than a GiB")
        outcome.memory = max(outcome.memory, _memory() - start)
        if time.monotonic() - written > 0.2 or number == last - 1:
            signal.setitimer(signal.ITIMER_PROF, 0)
            _write(outcome, folder)
            written = time.monotonic()


def _told(crash: BaseException) -> str:
    frames = traceback.extract_tb(crash.__traceback__)
    own = [frame for frame in frames if "/hdm/" in frame.filename] or frames
    where = f"{Path(own[-1].filename).name}:{own[-1].lineno}"
    return f"{type(crash).__name__} at {where}: {' '.join(str(crash).split())[:120]}"


def _watched(process: BaseProcess, place: Path) -> int | None:
    """The exit code; a process whose place does not change is killed."""
    seen, since = -1, time.monotonic()
    while process.is_alive():
        process.join(0.2)
        if _number(place) != seen:
            seen, since = _number(place), time.monotonic()
        elif time.monotonic() - since > STUCK:
            process.kill()
    return process.exitcode


def _number(place: Path) -> int:
    return int(struct.unpack("<q", place.read_bytes())[0])


def _write(outcome: Outcome, folder: Path) -> None:
    temporary = folder / "outcome.new"
    temporary.write_text(json.dumps({"counts": outcome.counts, "inputs": outcome.inputs,
                                     "slowest": outcome.slowest, "memory": outcome.memory,
                                     "findings": outcome.findings}), encoding="utf-8")
    temporary.rename(folder / "outcome.json")


def _join(whole: Outcome, part: dict[str, Any]) -> None:
    whole.inputs += part.get("inputs", 0)
    whole.counts.update(part.get("counts", {}))
    whole.slowest = max(whole.slowest, part.get("slowest", 0.0))
    whole.memory = max(whole.memory, part.get("memory", 0))
    for what, numbers in part.get("findings", {}).items():
        whole.findings.setdefault(what, []).extend(numbers)


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
