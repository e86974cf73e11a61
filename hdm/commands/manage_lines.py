"""`hdm lines`: the product lines of this project, and adding one; others: `change_line`."""

import sys
from typing import Annotated

import typer
from rich.table import Column, Table

from hdm.commands import add_line
from hdm.commands.change_line import clone, remove, rename
from hdm.commands.json_output import AsJson, print_json
from hdm.config import load_pipelines
from hdm.console import Console
from hdm.errors import ConfigError
from hdm.line import find_project
from hdm.orchestration import prefect_yaml

app = typer.Typer(help="List the product lines; add, copy, rename or remove one.",
                  no_args_is_help=True, rich_markup_mode=None)
Format = Annotated[str, typer.Option("--format", help=(
    "auto, mvtec, folder, visa, btad, ksdd2 or table."))]


@app.command("list")
def list_lines(as_json: AsJson = False) -> None:
    """List every line with its source and schedule."""
    lines = load_pipelines(find_project()).lines
    if as_json:
        print_json({name: entry.model_dump(mode="json") for name, entry in lines.items()})
        return
    table = Table("line", Column("source", overflow="fold"), "format", "schedule",
                  Column("owner", overflow="fold"), "description")
    for name, entry in lines.items():
        cron = f"{entry.schedule.cron} {entry.schedule.timezone}" if entry.schedule else ""
        table.add_row(name, entry.source.path, entry.source.format, cron, entry.owner,
                      entry.description)
    console = Console()
    Console(width=max(console.width, 120)).print(table)


@app.command()
def add(
    place: Annotated[str, typer.Argument(metavar="SOURCE", help="As --source.")] = "",
    source: Annotated[str, typer.Option(help="Folder or table of images.")] = "",
    name: Annotated[str, typer.Option(help=(
        "a-z, 0-9, '_' and '-'; the folder's name if left out."))] = "",
    format: Format = "auto",
    description: Annotated[str, typer.Option(help="What is inspected, with which camera.")] = "",
    owner: Annotated[str, typer.Option(help="Who answers for the line.")] = "",
    folder: Annotated[list[str] | None, typer.Option(metavar="PATH=ROLE", help=(
        "What a folder of the source holds: good, defect, masks or aside. May be repeated."))
    ] = None,
    column: Annotated[list[str] | None, typer.Option(metavar="OURS=THEIRS", help=(
        "Which column of a table is the label, path, ...: label=Befund. May be repeated."))] = None,
    part_rule: Annotated[str, typer.Option(metavar="RULE", help=(
        "Where names tell which part a picture shows: {part} for the part's name, * for any text, "
        "such as {part}_cam*."))] = "",
    preset: Annotated[str, typer.Option(help=(
        "How much its training may cost: instant, fast, standard or max; that of params.yaml if "
        "left out."))] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=(
        "Only say what the source seems to be; add nothing."))] = False,
) -> None:
    """Add a line to pipelines.yaml and prefect.yaml; asks for what is not given."""
    source = source or place
    if sys.stdin.isatty():
        name = name or typer.prompt("Name of the line", default=add_line.name_of(source))
        source = source or typer.prompt("Folder or table of its images")
        description = description or typer.prompt("Description", default="", show_default=False)
        owner = owner or typer.prompt("Owner", default="", show_default=False)
    if not source:
        raise ConfigError("expected the folder or table of the line's images; give it, or run this "
                          "in a terminal to be asked.")
    project = find_project()
    wanted = add_line.NewLine(name or add_line.name_of(source), source, format, description, owner,
                              add_line.roles(folder or []), add_line.columns(column or []),
                              part_rule, preset)
    print("\n".join(add_line.preview(wanted, project)))
    if dry_run:
        return
    add_line.add(wanted, project)
    prefect_yaml.write(project)
    print(f"{wanted.name} added to pipelines.yaml and prefect.yaml; run it with `hdm run "
          f"{wanted.name}`.")


for changing in (clone, rename, remove):
    app.command()(changing)
