"""params.yaml + pipelines.yaml as one validated, frozen object for one product line.

`params.yaml` holds the defaults of every line; each line in `pipelines.yaml` may override any of
them. What they may say is in hdm/settings.py.
"""

import difflib
import re
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML, YAMLError

from hdm.errors import ConfigError
from hdm.model_settings import Section
from hdm.pipelines import Pipelines, ProductLine
from hdm.settings import Params

STAGES = (
    "ingest",
    "validate",
    "dagm_fit",
    "dagm_synthesize",
    "pom_filter",
    "ddm_train",
    "evaluate",
    "register",
)
LINE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
Model = TypeVar("Model", bound=Section)


def load_pipelines(project: Path) -> Pipelines:
    """Read pipelines.yaml; raises ConfigError naming the key at fault and the nearest valid one."""
    pipelines = _validated(Pipelines, _read_yaml(project / "pipelines.yaml"), "pipelines.yaml")
    for name in pipelines.lines:
        check_line_name(name)
    unknown = [name for name in pipelines.sample_lines if name not in pipelines.lines]
    if unknown:
        raise ConfigError(f"pipelines.yaml: sample_lines names {unknown[0]!r}, which is not under "
                          "`lines`; add it there or remove it here.")
    return pipelines


def load_params(project: Path, line: ProductLine | None = None, name: str = "") -> Params:
    """params.yaml, the chosen preset over it, the line's overrides on top; raises ConfigError."""
    defaults = _read_yaml(project / "params.yaml")
    presets = _validated(Params, defaults, "params.yaml").presets
    for title, keys in presets.items():
        _validated(Params, merge(defaults, keys), f"params.yaml: presets.{title}")
    overrides = line.overrides if line else {}
    merged = merge(defaults, overrides)
    where = f"pipelines.yaml: lines.{name}.overrides" if overrides else "params.yaml"
    chosen = _validated(Params, merged, where).preset
    if chosen not in presets:
        raise ConfigError(f"{where}: there is no preset {chosen!r}; expected one of: "
                          f"{', '.join(presets)}.")
    return _validated(Params, merge(merge(defaults, presets[chosen]), overrides), where)


def stage_settings(params: Params, stage: str) -> dict[str, Any]:
    """All that the result of `stage` depends on: its own section and what stages share."""
    content = params.model_dump(mode="json", by_alias=True)
    del content["compute"]["cluster"]  # where pictures are worked on decides no result
    shared = {"ingest": {"seed"}, "validate": set(), "evaluate": {"seed", "compute"},
              "register": set()}.get(stage, {"seed", "image", "benign", "compute"})
    return {key: content[key] for key in sorted({stage} | shared)}


def check_line_name(name: str) -> str:
    """Return `name` if it can name a folder, a DVC stage, a deployment and a model; else raise."""
    if not LINE_NAME.fullmatch(name):
        raise ConfigError(
            f"line name {name!r}: expected 1 to 63 characters of a-z, 0-9, '_' and '-', starting "
            "with a letter or digit (it names folders, stages, deployments and models); rename it "
            "in pipelines.yaml.")
    return name


def merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`base` with the leaves of `over` on top; mappings merge, all else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, dict) and isinstance(value, dict) \
            else value
    return merged


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = deepcopy(_parsed(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ConfigError(f"expected {path.name} in {path.parent}, found none; run this in the "
                          "project's folder.") from None
    except (YAMLError, UnicodeDecodeError, OSError) as error:
        detail = " ".join(str(error).split())
        raise ConfigError(f"{path.name} is not readable YAML: {detail}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path.name}: expected a mapping of keys, found a "
                          f"{type(content).__name__}.")
    return content


@lru_cache(maxsize=8)
def _parsed(text: str) -> Any:
    """Parsing takes a second a hundred lines, and a look at each line reads the file anew."""
    return YAML(typ="safe", pure=True).load(text)


def _validated(model: type[Model], content: dict[str, Any], where: str) -> Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"{where}: {_sentence(model, first)}") from None


def _sentence(model: type[Section], error: Any) -> str:
    """One readable sentence for the first thing pydantic objects to."""
    path = ".".join(str(part) for part in error["loc"] if part != "[key]")
    if error["type"] == "extra_forbidden":
        valid = _valid_keys(model, error["loc"][:-1])
        near = difflib.get_close_matches(str(error["loc"][-1]), valid, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"valid keys: {', '.join(valid)}."
        return f"unknown key {path!r}; {hint}"
    if error["type"] == "missing":
        return f"the key {path!r} is missing; add it."
    received = repr(error["input"])
    message = error["msg"].removeprefix("Value error, ")
    return f"{path}: {message} (received {received[:80]})." if path else f"{message}."


def _valid_keys(model: type[Section], path: tuple[Any, ...]) -> list[str]:
    """Keys allowed at `path` below `model`."""
    current: Any = model
    for part in path:
        fields = {f.alias or name: f for name, f in current.model_fields.items()} \
            if isinstance(current, type) and issubclass(current, BaseModel) else {}
        if part in fields:
            current = next((a for a in (fields[part].annotation,
                                        *getattr(fields[part].annotation, "__args__", ()))
                            if isinstance(a, type) and issubclass(a, BaseModel)), ProductLine)
    return [field.alias or name for name, field in current.model_fields.items()]
