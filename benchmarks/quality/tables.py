"""`python -m benchmarks.quality.tables`: the tables of docs/results.md from results/*.json.

Each stands between `<!-- table:NAME -->` and `<!-- end -->`. NAME is what the table shows and the
preset, `image-standard` for example; types-SET-PRESET is one set's kinds of defects. `--check`
writes nothing and ends with exit code 1 if a figure on the page is not what the JSON says.
"""

import argparse
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.quality import rendering
from benchmarks.quality.presets import PROJECT
from benchmarks.quality.results import RESULTS, Row, read_rows
from hdm.errors import HDMError
from hdm.files import write_text

PAGE = PROJECT / "docs" / "results.md"
BLOCK = re.compile(r"(?P<start><!-- table:(?P<name>\S+) -->\n)(?P<body>.*?)(?P<end><!-- end -->)",
                   re.DOTALL)
KINDS: dict[str, tuple[str, Callable[[list[Row]], str]]] = {
    "image": ("Image AUROC", partial(rendering.quality, figure="image_auroc")),
    "pixel": ("Pixel AUROC", partial(rendering.quality, figure="pixel_auroc")),
    "aupro": ("AUPRO", partial(rendering.quality, figure="aupro")),
    "against": ("Image AUROC against `hdm`, in points", rendering.against),
    "false-alarms": ("False alarms", rendering.false_alarms),
    "calibration": ("False-alarm rates within the binomial 95 % interval of the stated one "
                    "(expected of exchangeable images)", rendering.calibration),
    "lighting": ("Changed light: image AUROC against unchanged, in points", rendering.lighting),
    "cost": ("Cost", rendering.cost),
}


def main(arguments: list[str] | None = None) -> int:
    """Write or check the page; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--results", type=Path, default=RESULTS)
    choice = parser.parse_args(arguments)
    try:
        return check(choice.page, choice.results) if choice.check else \
            write(choice.page, choice.results)
    except HDMError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


def write(page: Path, results: Path) -> int:
    """Replace every table of the page; a page that is not there is begun with all tables."""
    before = page.read_text(encoding="utf-8") if page.exists() else skeleton(results)
    write_text(page, filled(before, results))
    return 0


def check(page: Path, results: Path) -> int:
    """Name the tables that differ from the results; 1 if there are any."""
    if not page.exists():
        raise HDMError(f"expected the page {page}, found none; write it with "
                       "`python -m benchmarks.quality.tables`.")
    text = page.read_text(encoding="utf-8")
    stale = [block["name"] for block in BLOCK.finditer(text)
             if block["body"] != rendered(block["name"], results)]
    for name in stale:
        print(f"{page.name}: the table {name} is not what {results.name}/ says; run "
              "`python -m benchmarks.quality.tables`.", file=sys.stderr)
    return int(bool(stale))


def filled(text: str, results: Path) -> str:
    """`text` with the content of every marked table made anew."""
    return BLOCK.sub(lambda block: block["start"] + rendered(block["name"], results) + block["end"],
                     text)


def rendered(name: str, results: Path) -> str:
    """The table called `name`, ending in a line break; raises HDMError for an unknown name."""
    kind, _, preset = name.rpartition("-")
    rows = read_rows(results / f"{preset}.json")
    if kind in KINDS:
        return KINDS[kind][1](rows) + "\n"
    if kind.startswith("types-"):
        return rendering.types(rows, kind.removeprefix("types-")) + "\n"
    raise HDMError(f"no table {name!r}; expected one of {', '.join(KINDS)} or types-SET, then "
                   "'-' and the preset.")


def skeleton(results: Path) -> str:
    """A page with every table of every preset that has results."""
    parts = ["# Results\n"]
    for file in sorted(results.glob("*.json")):
        parts.append(f"\n## {file.stem}\n")
        names = [(title, f"{kind}-{file.stem}") for kind, (title, _) in KINDS.items()]
        names += [(f"Image AUROC by kind of defect: {name}", f"types-{name}-{file.stem}")
                  for name in sorted({row["set"] for row in read_rows(file)})]
        parts += [f"\n{title}\n\n<!-- table:{name} -->\n<!-- end -->\n" for title, name in names]
    return "".join(parts)


def summary(rows: list[Row], preset: str) -> str:
    """The page beside a results file: all tables of one preset."""
    parts = [f"# {preset}\n"]
    parts += [f"\n## {title}\n\n{render(rows)}\n" for title, render in KINDS.values()]
    for name in sorted({row["set"] for row in rows}):
        parts.append(f"\n## Image AUROC by kind of defect: {name}\n\n"
                     f"{rendering.types(rows, name)}\n")
    return "".join(parts)


if __name__ == "__main__":
    sys.exit(main())
