"""One walk: its steps with their times and screens, in a terminal and in a real browser."""

import html
import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WIDTH, HEIGHT = 1100, 780
WAIT = 1_800_000
"""Milliseconds for whatever a line takes."""
TERMINAL = ("<body style='margin:0;background:#14171b;color:#e7eaee'>"
            "<pre style='font:13px/1.4 monospace;padding:16px;white-space:pre-wrap'>")
ROWS = 34
"""Of a terminal, as the screen shows them."""


@dataclass(frozen=True)
class Step:
    """What was done, how long it took until it was there to see, and its screen."""

    title: str
    seconds: float
    screen: str


@dataclass
class Walk:
    """name: of the files. who: the person. project: a clone that was set up. out: where screens go.
    page: of Playwright. home: the address of Home, once it runs."""

    name: str
    who: str
    project: Path
    out: Path
    page: Any
    home: str = ""
    steps: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Something done in the browser, whose screen is taken when it is done."""
        began = time.monotonic()
        yield
        self._keep(title, time.monotonic() - began)

    def type(self, title: str, *words: str, actor: str = "") -> str:
        """A command, whose output is shown as a terminal would; returns it. Raises RuntimeError
        where it fails."""
        programs = self.project / ".venv" / "bin"
        settings = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "COLUMNS": "110",
                    "HDM_ACTOR": actor or self.who}
        settings.pop("PYTHONPATH", None)  # what is walked through is the clone
        began = time.monotonic()
        done = subprocess.run(words, cwd=self.project, env=settings, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        took = time.monotonic() - began
        if done.returncode:
            raise RuntimeError(f"{shlex.join(words)} ended with {done.returncode}: "
                               f"{done.stdout[-2000:]}")
        rows = [row.rsplit("\r", 1)[-1] for row in done.stdout.splitlines()]
        shown = "\n".join([f"$ {shlex.join(words)}", *rows[-ROWS:]])
        self.page.set_content(f"{TERMINAL}{html.escape(shown)}</pre>")
        self._keep(title, took)
        return done.stdout

    def go(self, path: str) -> None:
        """Open a page of Home."""
        self.page.goto(f"{self.home}{path}")

    def ended(self) -> None:
        """Wait for the end of the command that a page has started."""
        self.page.locator("#order[data-state=running]").wait_for(state="attached", timeout=20_000)
        self.page.wait_for_selector("#order:not([data-state=running])", timeout=WAIT)
        if self.page.locator("#order[data-state=done]").count() == 0:
            raise RuntimeError(self.page.locator("#order pre").inner_text()[-2000:])

    def _keep(self, title: str, seconds: float) -> None:
        name = f"{self.name}-{len(self.steps) + 1}.png"
        self.page.wait_for_timeout(400)  # pictures that are on their way
        self.page.screenshot(path=self.out / name)
        self.steps.append(Step(title, seconds, name))


@contextmanager
def home_of(project: Path) -> Iterator[str]:
    """`hdm home` of a project; yields its address."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with subprocess.Popen([project / ".venv/bin/python", "-m", "hdm", "home", "--no-browser",
                           "--port", "0"], cwd=project, stdout=subprocess.PIPE, text=True,
                          env=environment) as process:
        assert process.stdout
        found = re.search(r"http://\S+", next(row for row in process.stdout if "home is at" in row))
        assert found
        try:
            yield found.group()
        finally:
            process.terminate()


def told(walks: dict[str, list[Step]], facts: str) -> str:
    """The page about all walks, by who walked, in Markdown."""
    rows = ["# Three walks", "", "From a fresh clone after `make setup`, by "
            "`python -m benchmarks.walks`, which types and clicks what is written here and takes "
            f"the screens. {facts}", ""]
    for who, steps in walks.items():
        rows += [f"## {who}: {sum(step.seconds for step in steps) / 60:.1f} minutes", ""]
        for number, step in enumerate(steps, 1):
            rows += [f"{number}. {step.title} ({step.seconds:.1f} s)", "",
                     f"   ![{step.screen}](walks/{step.screen})", ""]
    return "\n".join(rows)
