"""The runbook of docs/operations.md as a person types it: whole blocks of it, in a shell."""

import re
import subprocess
from pathlib import Path

from plant import ROOT
from services import Prefect

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
NOT_HERE = ("apt-get install postgresql", "make setup", ". .venv/bin/activate", "pip install -e ")
"""What would change the machine that the tests run on."""


def blocks(title: str) -> list[str]:
    """The shell blocks below a heading, up to the next one."""
    below = re.split(rf"^#+ {re.escape(title)}$", PAGE, flags=re.MULTILINE)[1]
    section = re.split(r"^#+ ", below, maxsplit=1, flags=re.MULTILINE)[0]
    return re.findall(r"^```sh\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)


class Person:
    """Types blocks at a machine; `words` are what a plant writes instead of the page's examples."""

    def __init__(self, services: Prefect, words: dict[str, str]) -> None:
        self.services, self.words = services, words

    def types(self, block: str, cwd: Path | None = None, **words: str) -> str:
        """What is printed. Workers go on in the background; their output goes to worker.log."""
        for before, after in {**self.words, **words}.items():
            block = block.replace(before, after)
        lines = [self._line(line) for line in block.splitlines()
                 if line.strip() and not line.startswith(NOT_HERE)]
        file = self.services.home / "typed.sh"
        file.write_text("set -eu\n" + "\n".join(lines) + "\n", encoding="utf-8")
        done = subprocess.run(["sh", str(file)], cwd=cwd or self.services.project, text=True,
                              env=self.services.environment, capture_output=True, timeout=400,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"{file.read_text()}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def _line(self, line: str) -> str:
        if line.startswith("prefect worker start "):
            return f"setsid {line} >> {self.services.home / 'worker.log'} 2>&1 &"
        return line
