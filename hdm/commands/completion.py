"""What a shell completes the names of lines and versions to.

Where a project or its registry cannot be read there is nothing to complete to: a shell has no place
for the reason, which the command itself says.
"""

from typing import TYPE_CHECKING

import typer

from hdm.errors import HDMError

if TYPE_CHECKING:
    from hdm.registry.history import VersionRecord


def lines_so_far(incomplete: str) -> list[str]:
    """The product lines whose names begin so."""
    from hdm.config import load_pipelines
    from hdm.line import find_project

    try:
        names = load_pipelines(find_project()).lines
    except HDMError:
        return []
    return [name for name in names if name.startswith(incomplete)]


def versions_so_far(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The versions of the command's line whose numbers begin so, newest first, each with its
    aliases or what the gate said."""
    # Behind an option that wants its value the words before it are not told apart yet.
    line = context.params.get("line") or next(iter(context.args), "")
    try:
        found = _registered(str(line))
    except HDMError:
        return []
    return [(str(one.version), ", ".join(one.aliases) or one.decision) for one in found
            if str(one.version).startswith(incomplete)]


def _registered(line: str) -> "list[VersionRecord]":
    from hdm.line import Line
    from hdm.registry.history import versions

    return versions(Line.load(line))
