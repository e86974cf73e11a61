"""Which modules a module needs when it runs: read from the import statements, never by importing.

What is packed into a registered model and what a DVC stage depends on follow from it.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path


def import_closure(package: Path, start: Iterable[Path]) -> tuple[list[Path], list[str]]:
    """Files of `package`, relative to it, that those of `start` need and are; and the libraries
    that all of them import.

    Imports inside functions count, those for type checkers alone do not. Packages on the way to a
    module count, as Python runs them.
    """
    files: set[Path] = set()
    libraries: set[str] = set()
    waiting = list(start)
    while waiting:
        file = waiting.pop()
        if file in files:
            continue
        files.add(file)
        for module in imported(package / file):
            first, *rest = module.split(".")
            if first == package.name:
                waiting += _files(package, rest)
            elif first not in sys.stdlib_module_names:
                libraries.add(first)
    return sorted(files), sorted(libraries)


def imported(file: Path) -> Iterator[str]:
    """Dotted names that `file` imports; `from a import b` gives a and a.b, as b may be a module."""
    waiting: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        waiting += ast.iter_child_nodes(node)


def _files(package: Path, parts: list[str]) -> Iterator[Path]:
    """The module's file and the __init__ files on the way to it."""
    for length in range(len(parts) + 1):
        base = Path(*parts[:length])
        for file in (base / "__init__.py", base.with_suffix(".py") if base.name else base):
            if (package / file).is_file():
                yield file
