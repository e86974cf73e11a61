"""The house is built as docs/architecture.md says: read from the import statements.

`python tests/test_architecture.py` prints each room with its files, its lines and what it imports.
"""

import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from hdm.registry.import_closure import imported

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for room in ("hdm", "flows") for path in (ROOT / room).rglob("*.py"))
WRITTEN = [path for room in ("hdm", "flows", "benchmarks", "tests")
           for path in sorted((ROOT / room).rglob("*.py"))]
LONGEST_FILE = 250
TWICE = {"__init__.py", "__main__.py", "conftest.py"}
"""Names that Python and pytest ask for."""
HEAVY = {"torch", "mlflow", "diffusers", "sklearn", "great_expectations", "matplotlib"}


def room_of(module: str) -> str:
    """The room that a module belongs to; '' for the package itself and for other libraries."""
    parts = module.split(".")
    if parts[0] == "flows":
        return "flows"
    return ".".join(parts[:2]) if parts[0] == "hdm" and len(parts) > 1 else ""


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def permitted() -> dict[str, list[str]]:
    """Room -> rooms that it may import, as the page's table of rooms says, in its order."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = page.split("\n## Rooms\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")]
            for line in section.splitlines() if line.startswith("| `")]
    return {_room(cell): [_room(name) for name in allowed.split(",") if name.strip(" –")]
            for cell, allowed, _ in rows}


def _room(cell: str) -> str:
    name = cell.strip(" `").removesuffix(".py").strip("/").replace("/", ".")
    return name if name.startswith(("hdm.", "flows")) else f"hdm.{name}"


@cache
def found() -> dict[str, set[str]]:
    """Room -> rooms that its files import."""
    used: dict[str, set[str]] = {}
    for file in SOURCES:
        here = room_of(module_of(file))
        there = {room_of(module) for module in imported(file)} - {"", here}
        # `from hdm import __version__` names the package, not a room.
        used.setdefault(here, set()).update(room for room in there if room in ROOMS)
    return used


ROOMS = {room_of(module_of(file)) for file in SOURCES} - {""}
PERMITTED = permitted()


def test_the_page_names_every_room_once() -> None:
    assert set(PERMITTED) == ROOMS - {"hdm.__main__"}


@pytest.mark.parametrize("room", sorted(ROOMS - {"hdm.__main__"}))
def test_a_room_imports_what_the_page_allows_and_all_of_it(room: str) -> None:
    assert found().get(room, set()) == set(PERMITTED[room])


def test_imports_run_upwards_in_the_page_only() -> None:
    order = list(PERMITTED)
    for room, allowed in PERMITTED.items():
        for other in allowed:
            assert order.index(other) < order.index(room), f"{room} imports {other}"


def test_files_are_short() -> None:
    lengths = {module_of(file): len(file.read_text(encoding="utf-8").splitlines())
               for file in WRITTEN}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_a_file_name_means_one_thing() -> None:
    names = Counter(file.name for file in WRITTEN if file.name not in TWICE)
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("module", ["hdm, hdm.cli", "hdm.line, hdm.config",
                                    "flows.retrain, flows.monitor, flows.serve"])
def test_shells_start_without_heavy_libraries(module: str) -> None:
    light = HEAVY | {"prefect", "numpy", "pandas"} if "flows" not in module else HEAVY
    code = f"import sys, {module}\nprint(sorted({light!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                          check=True)
    assert done.stdout.strip() == "[]"


def main() -> None:
    """Print the rooms."""
    used = found()
    for room in PERMITTED:
        files = [file for file in SOURCES if room_of(module_of(file)) == room]
        lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)
        named = ", ".join(sorted(name.removeprefix("hdm.") for name in used.get(room, ())))
        print(f"{room:20} {len(files):3} files {lines:5} lines  imports {named or 'nothing'}")


if __name__ == "__main__":
    main()
