"""What a stage costs the first time, again with the same pictures, and with a few more."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.scale.drawn_source import draw_source
from hdm.files import write_json, write_text

FIRST, AGAIN, ADDED = "first", "again", "added"


def added_study(out: Path, count: int, percent: float, stages: list[str],
                run: Callable[[str], dict[str, float]], source: Path) -> None:
    """Run `stages` three times and write added.json and added.md into `out`.

    run: a stage's name -> what it cost. source: drawn with `count` pictures already.
    """
    file = out / "added.json"
    content = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {"stages": {}}
    content |= {"cores": os.cpu_count(), "pictures": count, "percent": percent}
    for time in (FIRST, AGAIN, ADDED):
        if time == ADDED:
            draw_source(source, count + round(count * percent / 100), first=count)
        for stage in stages:
            found = run(stage)
            print(f"{stage} {time}: {found}", flush=True)
            content["stages"].setdefault(stage, {})[time] = found
            write_json(file, content)
            write_text(out / "added.md", added_table(content))


def added_table(content: dict[str, Any]) -> str:
    """The results as Markdown."""
    heads = ["stage", "first", "again, unchanged", f"with {content['percent']:g} % more",
             "memory then"]
    lines = [heads, ["---", *["--:"] * 4]]
    for stage, times in content["stages"].items():
        lines.append([f"`{stage}`", *(f"{times[time]['cpu']:.1f} s" if time in times else ""
                                      for time in (FIRST, AGAIN, ADDED)),
                      f"{times[ADDED]['memory']:.0f} MiB" if ADDED in times else ""])
    return "\n".join([
        "# Cost of a few more pictures", "", "Made by `python -m benchmarks.scale --added`: "
        f"{content['pictures']:,} generated pictures of 64 px, processor time of all processes of "
        f"a stage, {content['cores']} cores.", "",
        *("| " + " | ".join(line) + " |" for line in lines), ""])
