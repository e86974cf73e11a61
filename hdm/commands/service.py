"""Commands about the models of a line in service: history, promote, rollback, pin, prune."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hdm.commands.pipeline import LineName

if TYPE_CHECKING:
    from hdm.line import Line

Version = Annotated[str, typer.Argument(metavar="VERSION", help="A version number.")]
Why = Annotated[str, typer.Option("--why", help="The reason, for the record.")]


def history(line: LineName) -> None:
    """Show every version of a line's model: what the gate said, and when it was live."""
    from rich.console import Console
    from rich.table import Column, Table

    from hdm.registry.history import versions
    from hdm.registry.promotion import CHAMPION
    from hdm.registry.service import services

    chosen, client = open_registry(line)
    served: dict[int, list[str]] = {}
    times = services(client, chosen.model_name)
    for time in times:
        served.setdefault(int(time.version), []).append(
            f"{_short(time.since)} to {_short(time.until) or 'now'}")
    table = Table("version", "gate", "image AUROC", "pixel AUROC", "alias",
                  Column("live (UTC)", overflow="fold"))
    found = versions(chosen)
    for record in found:
        table.add_row(str(record.version), record.decision, _number(record.image_auroc),
                      _number(record.pixel_auroc), ", ".join(record.aliases),
                      "\n".join(served.get(record.version, [])))
    console = Console()
    Console(width=max(console.width, 110)).print(table)
    live = next((r.version for r in found if CHAMPION in r.aliases), None)
    if live and (not times or int(times[-1].version) != live):
        print(f"note: the alias champion was moved to version {live} by hand; the record above "
              "does not know since when.")


def promote(line: LineName, version: Version, why: Why = "",
            refused: Annotated[bool, typer.Option("--even-refused", help=(
                "Also a version that the gate refused."))] = False) -> None:
    """Make a version champion: approve one that was held, or overrule the gate."""
    from hdm.errors import RegistryError
    from hdm.registry.history import versions
    from hdm.registry.service import put_in_service

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
    to: Annotated[str, typer.Option(metavar="VERSION", help=(
        "The version to return to; the previous live one if left out."))] = "",
) -> None:
    """Return to the previous live version; services follow within seconds."""
    from hdm.registry.service import roll_back

    chosen, client = open_registry(line)
    version = roll_back(client, chosen, why, to)
    print(f"{chosen.model_name} version {version} is champion again.")


def pin(line: LineName, version: Version,
        off: Annotated[bool, typer.Option("--off", help="Let it go again.")] = False) -> None:
    """Keep a version whatever its age."""
    from hdm.registry import retention

    chosen, client = open_registry(line)
    retention.pin(client, chosen.model_name, version, not off)
    print(f"{chosen.model_name} version {version} is {'no longer ' if off else ''}pinned.")


def prune(line: LineName,
          dry_run: Annotated[bool, typer.Option(help="Only say what would go.")] = False) -> None:
    """Delete old versions with their files, as `retention.versions` says."""
    from hdm.registry import retention

    chosen, client = open_registry(line)
    gone = retention.prune(client, chosen, chosen.params.retention.versions, dry_run=dry_run)
    verb = "would delete" if dry_run else "deleted"
    print(f"{verb} version {', '.join(map(str, gone))}" if gone else "nothing to delete")


def open_registry(line: str) -> "tuple[Line, Any]":
    """The line and a client of its store, which exists; raises RegistryError otherwise."""
    from hdm.errors import RegistryError
    from hdm.line import Line
    from hdm.registry.address import tracking_off, tracking_uri
    from hdm.registry.client import connect
    from hdm.registry.store import identify

    chosen = Line.load(line)
    uri = tracking_uri(chosen.project)
    if tracking_off() or identify(uri, chosen.name) is None:
        raise RegistryError(f"the registry has no model of {line} yet; make one with "
                            f"`hdm run {line}`.")
    return chosen, connect(uri)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _short(time: str) -> str:
    """2026-01-31T08:00:00.000+00:00 as 2026-01-31 08:00:00."""
    return time[:19].replace("T", " ")
