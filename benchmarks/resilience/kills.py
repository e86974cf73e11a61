"""`python -m benchmarks.resilience.kills`: SIGKILL at random moments, the same command again, and
whether all is as if nothing had happened.

Of each deed a third is killed alone, a third beside a second run of the same, and a third with a
loss of power: what nobody waited for is gone.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from .deeds import Deed, Plants, chosen_deeds, plants
from .forked import Command
from .line_state import keep_row, nearest, state
from .lost_writes import lose, nodes, watch

KINDS = ("alone", "beside another", "power lost")
SAID = ("is live already", "nothing to delete", "going on", "nothing new", "no previous version")


def without_parity() -> None:
    """Leave out the look at the registered model in a process of its own, which only reads."""
    from hdm.registry.gate import Packaged
    from hdm.stages import register

    register.check_packaged = lambda *_: Packaged(18, 0.0, 0, 70.0)


class Trials:
    """Kills of one deed, and what was wrong afterwards."""

    def __init__(self, made: Plants, deed: Deed, chance: random.Random) -> None:
        self.made, self.deed, self.chance = made, deed, chance
        self.record = made.folder / "waited.txt"
        made.take(deed.begin)
        calm = self.start()
        assert calm.wait() == 0, calm.said()
        calm.said()
        self.seconds = calm.seconds
        once = state(made.root)
        again = self.start()
        again.wait()
        again.said()
        # Killed at its end a command may be done, and is then said twice.
        self.wanted = (once, state(made.root))
        self.faults: list[dict[str, str]] = []
        self.done: Counter[str] = Counter()

    def start(self, *, watched: bool = False) -> Command:
        def before() -> None:
            without_parity()
            if watched:
                watch(self.record)
        return Command(self.made.project, self.deed.words, before=before)

    def trial(self, kind: str) -> None:
        self.made.take(self.deed.begin)
        moment = self.chance.uniform(0.02, 1.1) * self.seconds
        self.record.unlink(missing_ok=True)
        named = nodes(self.made.root)
        first = self.start(watched=kind == "power lost")
        harmed = 0
        if kind == "beside another":
            time.sleep(self.chance.uniform(0, 0.3) * self.seconds)
            second = self.start()
            killed, other = self.chance.sample([first, second], 2)
            killed.kill_after(moment)
            other.wait()
            first.said(), second.said()
        else:
            first.kill_after(moment)
            first.said()
        if kind == "power lost":
            harmed = lose(self.made.root, self.made.folder / self.deed.begin, named,
                          self.record, self.chance)
        again = self.start()
        code = again.wait()
        said = again.said()
        self.done[kind] += 1
        wrong = nearest(state(self.made.root), self.wanted)
        if code and not any(text in said for text in SAID):
            wrong.append(f"exit code {code}: {said.strip()[-400:]}")
        if "Traceback" in said:
            wrong.append(f"traceback: {said.strip()[-600:]}")
        if wrong:
            self.faults.append({"deed": self.deed.name, "kind": kind, "harmed": str(harmed),
                                "moment": f"{moment / self.seconds:.2f}",
                                "wrong": "; ".join(wrong)[:1500]})
            print("  FAULT", json.dumps(self.faults[-1], indent=1), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=15, help="of each deed")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/hdm-kills"))
    parser.add_argument("--output", type=Path,
                        default=Path(__file__).parent / "results" / "kills.json")
    chosen = parser.parse_args()
    chance = random.Random(chosen.seed)
    rows: list[dict[str, Any]] = []
    deeds = chosen_deeds(chosen.only)
    with plants(chosen.folder, deeds) as made:
        for deed in deeds:
            trials = Trials(made, deed, chance)
            for number in range(chosen.kills):
                trials.trial(KINDS[number % len(KINDS)])
            rows.append({"deed": deed.name, "seconds": round(trials.seconds, 2),
                         "kills": dict(trials.done), "faults": trials.faults})
            print(deed.name, dict(trials.done), f"{trials.seconds:.1f} s",
                  f"{len(trials.faults)} faults", flush=True)
            keep_row(chosen.output, rows[-1])
    kills = sum(sum(row["kills"].values()) for row in rows)
    faults = sum(len(row["faults"]) for row in rows)
    print(f"{kills} kills, {faults} faults")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
