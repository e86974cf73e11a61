"""`python -m benchmarks.resilience.full_disk`: the disk is full at the nth write of a command.

Twice over. Counted: the nth opening for writing, renaming or making of a folder fails, and so does
every later opening, for each n (Python's audit events tell of them). Real: on a small file system
that has a part of the room that the command needs, so that libraries in C meet it as well. Each
time: one sentence, nothing half-written, and the same command finishes the work when there is room.
"""

import argparse
import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from .deeds import Deed, Plants, chosen_deeds, plants
from .forked import Command
from .kills import SAID, without_parity
from .line_state import keep_row, nearest, state

SHARES = (0.0, 0.02, 0.1, 0.25, 0.5, 0.75, 0.95)
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND


def full_from(number: int, root: Path, count: Path) -> None:
    """From the `number`th write below `root` on this process finds the disk full; `count` holds
    how many there were. 0: never."""
    seen, inside = [0], str(root)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        path = arguments[0] if arguments else ""
        if event == "open":
            writes = bool(arguments[2] & WRITES) if isinstance(arguments[2], int) else False
        else:
            writes = event in ("os.rename", "os.mkdir", "os.link", "os.symlink")
            path = arguments[1] if event == "os.rename" else path
        if not writes or not str(os.fsdecode(path) if isinstance(path, bytes) else path
                                 ).startswith(inside) or str(path).endswith((".lock", ".txt")):
            return
        seen[0] += 1
        if seen[0] == number or (number and seen[0] > number and event != "os.rename"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    def leave(code: int, _exit: Any = os._exit) -> None:
        count.write_text(str(seen[0]))
        _exit(code)

    os._exit = leave  # type: ignore[assignment]
    sys.addaudithook(hook)


class Fillings:
    """One deed on a disk that becomes full."""

    def __init__(self, made: Plants, deed: Deed) -> None:
        self.made, self.deed = made, deed
        self.count = made.folder / "writes.txt"
        made.take(deed.begin)
        calm = self.run(0)
        assert calm[0] == 0, calm[1]
        self.writes = int(self.count.read_text())
        once = state(made.root)
        self.run()
        self.wanted = (once, state(made.root))
        self.faults: list[dict[str, str]] = []

    def run(self, number: int | None = None) -> tuple[int, str]:
        def before() -> None:
            without_parity()
            if number is not None:
                full_from(number, self.made.root, self.count)
        command = Command(self.made.project, self.deed.words, before=before)
        return command.wait(), command.said()

    def counted(self, number: int) -> None:
        self.made.take(self.deed.begin)
        code, said = self.run(number)
        self.judge(f"write {number} of {self.writes}", code, said, self.run)

    def judge(self, when: str, code: int, said: str, again: Any) -> None:
        """Fails with one sentence, or warns and ends well; then the same command."""
        sentences = [row for row in said.splitlines() if row.startswith("error: ")]
        wrong = []
        if "Traceback" in said:
            wrong.append(f"traceback: {said.strip()[-900:]}")
        elif code and len(sentences) != 1:
            wrong.append(f"exit code {code} with {len(sentences)} sentences: {said[-300:]}")
        elif code and "space" not in sentences[0].lower() and "full" not in sentences[0].lower():
            wrong.append(f"another sentence: {sentences[0][:300]}")
        last, told = again()
        if last and not any(text in told for text in SAID):
            wrong.append(f"afterwards exit code {last}: {told.strip()[-400:]}")
        wrong += nearest(state(self.made.root), self.wanted)
        if wrong:
            self.faults.append({"deed": self.deed.name, "when": when, "wrong": "; ".join(wrong)})
            print("  FAULT", json.dumps(self.faults[-1]), flush=True)

    def real(self, share: float) -> None:
        """The plant on a file system of its own with `share` of the room that is needed."""
        self.made.take(self.deed.begin)
        kept = self.made.folder / self.deed.begin
        shutil.rmtree(self.made.root)
        self.made.root.mkdir()
        grown = max(1_000_000, self.made.grown())
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", str(self.made.root)],
                       check=True)
        try:
            shutil.copytree(kept, self.made.root, dirs_exist_ok=True, symlinks=True)
            filler = self.made.root / "filler"
            free = shutil.disk_usage(self.made.root).free
            with filler.open("wb") as stream:
                os.posix_fallocate(stream.fileno(), 0, max(1, free - int(share * grown)))
            code, said = self.run()
            filler.unlink()
            self.judge(f"{share:.0%} of {grown / 1e6:.1f} MB", code, said, self.run)
        finally:
            subprocess.run(["umount", str(self.made.root)], check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=1000, help="counted writes of a deed, spread")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--folder", type=Path, default=Path("/tmp/hdm-full"))
    parser.add_argument("--output", type=Path,
                        default=Path(__file__).parent / "results" / "full_disk.json")
    chosen = parser.parse_args()
    rows: list[dict[str, Any]] = []
    deeds = chosen_deeds(chosen.only)
    with plants(chosen.folder, deeds) as made:
        for deed in deeds:
            fillings = Fillings(made, deed)
            step = max(1, -(-fillings.writes // chosen.most))
            numbers = range(1, fillings.writes + 1, step)
            for number in numbers:
                fillings.counted(number)
            real = SHARES if os.geteuid() == 0 and shutil.which("mount") else ()
            for share in real:
                fillings.real(share)
            rows.append({"deed": deed.name, "writes": fillings.writes, "counted": len(numbers),
                         "real": len(real), "faults": fillings.faults})
            print(deed.name, f"{len(numbers)} of {fillings.writes} writes, {len(real)} small disks,"
                  f" {len(fillings.faults)} faults", flush=True)
            keep_row(chosen.output, rows[-1])
    tried = sum(row["counted"] + row["real"] for row in rows)
    faults = sum(len(row["faults"]) for row in rows)
    print(f"{tried} full disks, {faults} faults")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
