"""`hdm config`: what a line's settings are, what they may be, and whether the files agree."""

import json
import sys
from typing import Annotated, Any

import typer
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from hdm.alarms.alarm_settings import ALARMS, Alarms, check_alarms
from hdm.commands.line_name import LineName
from hdm.config import load_params, load_pipelines
from hdm.errors import ConfigError
from hdm.line import Line, find_project
from hdm.orchestration import prefect_yaml
from hdm.pipelines import Pipelines
from hdm.settings import Params

app = typer.Typer(help="Show and check params.yaml and pipelines.yaml.", no_args_is_help=True,
                  rich_markup_mode=None)


@app.command()
def show(line: LineName) -> None:
    """Print the merged settings of a line; overridden keys are marked with their default."""
    chosen = Line.load(line)
    defaults = load_params(chosen.project).model_dump(mode="json", by_alias=True)
    merged = chosen.params.model_dump(mode="json", by_alias=True)
    yaml = YAML()
    yaml.width = 100
    yaml.dump(commented(merged, defaults, chosen.entry.overrides), sys.stdout)


@app.command()
def schema(
    file: Annotated[str, typer.Argument(
        metavar="[FILE]", help="params.yaml, pipelines.yaml or alarms.yaml; all if left out.")
    ] = "",
) -> None:
    """Print the JSON schema of the settings, for editors and for reading."""
    schemas: dict[str, Any] = {"params.yaml": Params.model_json_schema(by_alias=True),
                               "pipelines.yaml": Pipelines.model_json_schema(by_alias=True),
                               ALARMS: Alarms.model_json_schema()}
    if file and file not in schemas:
        raise ConfigError(f"no schema for {file!r}; expected one of: {', '.join(schemas)}.")
    print(json.dumps(schemas[file] if file else schemas, indent=2, ensure_ascii=False))


@app.command()
def check() -> None:
    """Check all settings, every line's overrides, and that prefect.yaml belongs to them."""
    project = find_project()
    names = list(load_pipelines(project).lines)
    for name in names:
        Line.load(name, project)
    check_alarms(project, names)
    prefect_yaml.check(project)
    print(f"ok: {len(names)} lines ({', '.join(names)})")


def commented(merged: dict[str, Any], defaults: dict[str, Any], overrides: dict[str, Any]) -> Any:
    """`merged` as a YAML mapping with a remark behind every key that `overrides` sets."""
    out = CommentedMap()
    for name, value in merged.items():
        own = overrides.get(name)
        if isinstance(value, dict):
            out[name] = commented(value, defaults.get(name) or {}, own or {})
        else:
            out[name] = value
        if name in overrides and not isinstance(own, dict):
            out.yaml_add_eol_comment(f"overridden; default: {defaults.get(name)}", name)
    return out
