"""Commands that change which model of a line is in service or kept: promote, rollback, pin, prune.
"""

from typing import Annotated

import typer

from hdm.commands.completion import versions_so_far
from hdm.commands.line_name import LineName
from hdm.commands.registered_line import open_registry
from hdm.errors import RegistryError
from hdm.registry import retention
from hdm.registry.history import versions
from hdm.registry.promotion import put_in_service, roll_back

Version = Annotated[str, typer.Argument(
    metavar="VERSION", help="A version number.", autocompletion=versions_so_far)]
Why = Annotated[str, typer.Option("--why", help="The reason, for the record.")]


def promote(line: LineName, version: Version, why: Why = "",
            refused: Annotated[bool, typer.Option("--even-refused", help=(
                "Also a version that the gate refused."))] = False) -> None:
    """Make a version champion: approve one that was held, or overrule the gate."""
    chosen, client = open_registry(line)
    found = {str(record.version): record for record in versions(chosen)}
    if version not in found:
        raise RegistryError(f"{chosen.model_name} has no version {version}; `hdm history {line}` "
                            "lists what there is.")
    if found[version].decision == "refuse" and not refused:
        raise RegistryError(
            f"the gate refused version {version} ({', '.join(found[version].reasons)}); say "
            "--even-refused if it is to serve all the same.")
    put_in_service(client, chosen, version, why or "approved by hand", action="approve")
    print(f"{chosen.model_name} version {version} is champion.")


def rollback(
    line: LineName, why: Why,
    to: Annotated[str, typer.Option(metavar="VERSION", autocompletion=versions_so_far, help=(
        "The version to return to; the previous live one if left out."))] = "",
) -> None:
    """Return to the previous live version; services follow within seconds."""
    chosen, client = open_registry(line)
    version = roll_back(client, chosen, why, to)
    print(f"{chosen.model_name} version {version} is champion again.")


def pin(line: LineName, version: Version,
        off: Annotated[bool, typer.Option("--off", help="Let it go again.")] = False) -> None:
    """Keep a version whatever its age."""
    chosen, client = open_registry(line)
    retention.pin(client, chosen.model_name, version, not off)
    print(f"{chosen.model_name} version {version} is {'no longer ' if off else ''}pinned.")


def prune(line: LineName,
          dry_run: Annotated[bool, typer.Option(help="Only say what would go.")] = False) -> None:
    """Delete old versions with their files, as `retention.versions` says."""
    chosen, client = open_registry(line)
    gone = retention.prune(client, chosen, chosen.params.retention.versions, dry_run=dry_run)
    verb = "would delete" if dry_run else "deleted"
    print(f"{verb} version {', '.join(map(str, gone))}" if gone else "nothing to delete")
