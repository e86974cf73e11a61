"""`hdm registry`: the local store after its project was copied, moved or renamed."""

from typing import Annotated

import typer

from hdm.line import find_project
from hdm.registry.address import sqlite_file, tracking_uri, without_password
from hdm.registry.relocation import relocate as rewrite

app = typer.Typer(help="Take the local MLflow store along when its project was copied or moved.",
                  no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def group() -> None:
    """Take the local MLflow store along when its project was copied or moved."""


@app.command()
def relocate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
) -> None:
    """Take the store's files from this project's mlruns, after it was copied, moved or renamed.

    Rewrites paths in mlflow.db, of which a backup is kept; no other file is touched.
    """
    uri = tracking_uri(find_project())
    file = sqlite_file(uri)
    if file is None:
        print(f"nothing to relocate: {without_password(uri)} keeps its files itself.")
        return
    done = rewrite(file, dry_run=dry_run)
    if not done.rows:
        print(f"nothing to relocate: the files that {file} records are in {done.now.parent}.")
        return
    rows = ", ".join(f"{count} {table}" for table, count in done.rows.items())
    folders = " and ".join(map(str, done.before))
    print(f"{folders} -> {done.now}")
    print(f"would rewrite {rows}; nothing was changed." if dry_run else
          f"rewrote {rows}; the database as it was is kept as {done.backup}.")
