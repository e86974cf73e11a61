"""`hdm deployments`: prefect.yaml follows pipelines.yaml."""

import typer

app = typer.Typer(help="Keep prefect.yaml true to pipelines.yaml.", no_args_is_help=True,
                  rich_markup_mode=None)


@app.command()
def write() -> None:
    """Write prefect.yaml: one deployment a product line, and `all`."""
    from flows import deployments
    from hdm.line import find_project

    changed = deployments.write(find_project())
    print("prefect.yaml written; deploy it with `prefect --no-prompt deploy --all`." if changed
          else "prefect.yaml is up to date.")


@app.command()
def check() -> None:
    """Exit with 1 and show the difference if prefect.yaml does not fit pipelines.yaml."""
    from flows import deployments
    from hdm.line import find_project

    difference = deployments.difference(find_project())
    if difference:
        print(difference)
        print("error: prefect.yaml does not fit pipelines.yaml; run `hdm deployments write`.")
        raise typer.Exit(1)
    print("prefect.yaml fits pipelines.yaml.")
