"""The house is built as docs/architecture.md says: read from the import statements."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for room in ("hdm", "flows") for path in (ROOT / room).rglob("*.py"))
LONGEST_FILE = 400

# Each room with the level it stands on; it may import from its own room and from levels below.
LEVELS = [
    ("hdm.errors",),
    ("hdm.files",),
    ("hdm.settings",),
    ("hdm.config",),
    ("hdm.line", "hdm.progress", "hdm.checkout", "hdm.averaging"),
    ("hdm.dataset",),
    ("hdm.samples", "hdm.validation", "hdm.diffusion"),
    ("hdm.dagm",),
    ("hdm.pom",),
    ("hdm.ddm",),
    ("hdm.detector",),
    ("hdm.evaluation",),
    ("hdm.registry",),
    ("hdm.monitoring",),
    ("hdm.export",),
    ("hdm.serving",),
    ("hdm.stages", "hdm.inspection"),
    ("hdm.commands", "flows"),
    ("hdm.cli",),
    ("hdm.__main__",),
]
LEVEL = {room: number for number, rooms in enumerate(LEVELS) for room in rooms}
# The two shells around the pipeline share one way to start DVC and one way to write prefect.yaml.
NEIGHBOURS = {("hdm.commands", "flows"), ("flows", "hdm.commands")}
HEAVY = {"torch", "mlflow", "diffusers", "sklearn", "great_expectations", "matplotlib"}


def room_of(module: str) -> str:
    """The room that a module belongs to; '' for the package itself and for other libraries."""
    parts = module.split(".")
    if parts[0] == "flows":
        return "flows"
    return ".".join(parts[:2]) if parts[0] == "hdm" and len(parts) > 1 else ""


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(file: Path, *, late: bool = True) -> Iterator[str]:
    """Modules that a file imports, without those only for typing; `late` those in functions too."""
    waiting: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.FunctionDef) and not late:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        waiting += ast.iter_child_nodes(node)


@pytest.mark.parametrize("file", SOURCES, ids=module_of)
def test_imports_run_downwards_only(file: Path) -> None:
    here = room_of(module_of(file))
    if not here:
        return  # hdm/__init__.py loads the detector when it is first asked for
    for module in imports(file):
        there = room_of(module)
        if there in LEVEL and there != here and (here, there) not in NEIGHBOURS:
            assert LEVEL[there] < LEVEL[here], f"{file.name} of {here} imports {module}"


def test_every_room_has_a_level() -> None:
    assert {room_of(module_of(file)) for file in SOURCES} - {""} == set(LEVEL)


@pytest.mark.parametrize("file", SOURCES, ids=module_of)
def test_files_are_short(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


def test_flows_and_commands_start_without_heavy_libraries() -> None:
    for file in SOURCES:
        if room_of(module_of(file)) in ("flows", "hdm.cli", "hdm.config", "hdm.line"):
            found = {module.split(".")[0] for module in imports(file, late=False)}
            assert not found & HEAVY, file


def test_importing_hdm_is_light() -> None:
    code = (f"import sys, hdm, hdm.cli\nfound = {HEAVY | {'prefect', 'numpy', 'pandas'}!r}\n"
            "print(sorted(found & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                          check=True)
    assert done.stdout.strip() == "[]"


def test_page_names_the_rooms_in_the_order_of_their_levels() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    places = {room: next((n for n, cell in enumerate(table) if _cell(room) in cell), None)
              for room in LEVEL if room != "hdm.__main__"}
    assert None not in places.values(), places
    for lower, upper in pairwise(LEVELS[:-1]):
        assert max(places[room] for room in lower) <= min(places[room] for room in upper), upper


def _cell(room: str) -> str:
    path = room.replace(".", "/")
    return f"`{path}/`" if (ROOT / path).is_dir() else f"`{path}.py`"
