"""`hdm deployments`: prefect.yaml follows pipelines.yaml."""

from typing import Annotated

import typer

from hdm.line import find_project
from hdm.orchestration import prefect_yaml

app = typer.Typer(help="Keep prefect.yaml true to pipelines.yaml.", no_args_is_help=True,
                  rich_markup_mode=None)


@app.command()
def write() -> None:
    """Write prefect.yaml: retraining and a look for drift of each line, and `all`."""
    changed = prefect_yaml.write(find_project())
    print("prefect.yaml written; bring the server up to date with `hdm deployments apply`."
          if changed else "prefect.yaml is up to date.")


@app.command()
def apply(
    lost_after: Annotated[int, typer.Option(metavar="SECONDS", min=45, help=(
        "A run without a sign of life for so long is taken up by another worker."))] = 300,
) -> None:
    """Make the Prefect server agree with pipelines.yaml: work pool, deployments, automations."""
    # Late: Prefect, which writing and checking the file do without.
    from hdm.orchestration import prefect_server

    for name in prefect_server.apply(find_project(), lost_after):
        print(f"{name} is on the server and not in pipelines.yaml; if it is no other project's, "
              f"remove it with `prefect --no-prompt deployment delete {name}`.")


@app.command()
def check() -> None:
    """Exit with 1 and show the difference if prefect.yaml does not fit pipelines.yaml."""
    difference = prefect_yaml.difference(find_project())
    if difference:
        print(difference)
        print("error: prefect.yaml does not fit pipelines.yaml; run `hdm deployments write`.")
        raise typer.Exit(1)
    print("prefect.yaml fits pipelines.yaml.")
