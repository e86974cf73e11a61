"""alarms.yaml: whom an alarm is told, and how. Passwords and secrets are never in it.

It is a file of its own, as no result of a training follows from it; without it nobody is told.
"""

import difflib
import os
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, StringConstraints, ValidationError
from ruamel.yaml import YAML, YAMLError

from hdm.config import merge
from hdm.errors import ConfigError
from hdm.model_settings import Section

ALARMS = "alarms.yaml"
Model = TypeVar("Model", bound=Section)
Address = Annotated[str, StringConstraints(pattern=r"^[^\s@]+@[^\s@]+$")]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$|^$")]
Host = Annotated[str, StringConstraints(pattern=r"^[^\s/@]+$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=60)]


class Webhook(Section):
    """An HTTP POST of JSON."""

    url: str = Field(pattern=r"^https?://[^\s/]+", description="Where it goes, http or https.")
    secret_env: Variable = Field("", description=(
        "Environment variable with a secret: the header X-HDM-Signature is then sha256= and the "
        "HMAC of the body."))
    timeout: Seconds = Field(10, description="Seconds for connecting, and for the answer.")
    retries: int = Field(3, ge=0, le=10, description=(
        "Times that it is tried again within one look, after 1, 2, 4 s and so on."))


class Mail(Section):
    """An e-mail by SMTP."""

    host: Host = Field(description="The server's name.")
    port: Port = Field(587, description="Usually 587 for starttls, 465 for ssl, 25 for none.")
    security: Literal["starttls", "ssl", "none"] = Field("starttls", description=(
        "How the connection is encrypted; a password is never sent over none."))
    user: str = Field("", description="Login; empty: none is asked for.")
    password_env: Variable = Field("", description="Environment variable with its password.")
    sender: Address = Field(description="Address that it comes from.")
    to: tuple[Address, ...] = Field(min_length=1, description="Addresses that it goes to.")
    timeout: Seconds = Field(10, description="Seconds for each answer of the server.")


class Mqtt(Section):
    """A message to an MQTT broker; needs `pip install hdm[mqtt]`."""

    host: Host = Field(description="The broker's name.")
    port: Port = Field(1883, description="Usually 8883 with tls.")
    tls: bool = Field(False, description=(
        "Whether the connection, and with it the password, is encrypted."))
    user: str = Field("", description="Login; empty: none.")
    password_env: Variable = Field("", description="Environment variable with its password.")
    topic: str = Field("hdm/{line}/alarm", pattern=r"^[^#+]+$", description=(
        "Where it is published; {line} is the line's name."))
    qos: Literal[0, 1, 2] = Field(1, description="Quality of service.")
    retain: bool = Field(False, description="Whether the broker keeps it for those who come later.")


class Receivers(Section):
    """Whom an alarm is told; what is null is not used."""

    webhook: Webhook | None = Field(None, description="HTTP POST of JSON.")
    mail: Mail | None = Field(None, description="E-mail.")
    mqtt: Mqtt | None = Field(None, description="MQTT.")


class Alarms(Receivers):
    """alarms.yaml."""

    lines: dict[str, dict[str, Any]] = Field({}, description=(
        "By line, keys of this file that are others for it; null leaves a receiver out."))


def receivers(project: Path, line: str) -> Receivers:
    """Those of a line: the file's, and what it says for the line laid over. Raises ConfigError for
    a key or value that is none, in the whole file."""
    content = _read(project / ALARMS)
    everywhere = _validated(Alarms, content, ALARMS)
    shared = {key: value for key, value in content.items() if key != "lines"}
    found = {name: _validated(Receivers, merge(shared, own), f"{ALARMS}: lines.{name}")
             for name, own in everywhere.lines.items()}
    return found.get(line) or _validated(Receivers, shared, ALARMS)


def check_alarms(project: Path, lines: list[str]) -> None:
    """Raise ConfigError if the file is not what it may be, or names a line that is none of
    `lines`."""
    receivers(project, "")
    for name in _read(project / ALARMS).get("lines") or {}:
        if name not in lines:
            raise ConfigError(f"{ALARMS}: lines names {name!r}, which is not in pipelines.yaml; it "
                              f"has: {', '.join(lines) or 'none'}.")


def secret(variable: str) -> str:
    """What the environment variable holds; raises ConfigError if that is nothing."""
    value = os.environ.get(variable, "")
    if not value:
        raise ConfigError(f"the environment variable {variable} that {ALARMS} names is not set; "
                          "set it for whoever runs `hdm monitor`.")
    return value


def _read(file: Path) -> dict[str, Any]:
    try:
        content = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (YAMLError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{ALARMS} is not readable YAML: {' '.join(str(error).split())}"
                          ) from None
    if not isinstance(content, dict | None):
        raise ConfigError(f"{ALARMS}: expected a mapping of keys, found a "
                          f"{type(content).__name__}.")
    return content or {}


def _validated(model: type[Model], content: dict[str, Any], where: str) -> Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        # A key that is none explains the one that is missing.
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    path = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        valid = [name for section in (Alarms, Webhook, Mail, Mqtt) for name in section.model_fields]
        near = difflib.get_close_matches(str(first["loc"][-1]), valid, n=1, cutoff=0.4)
        raise ConfigError(f"{where}: unknown key {path!r}; " + (
            f"did you mean {near[0]!r}?" if near else "`hdm config schema` lists the keys."))
    if first["type"] == "missing":
        raise ConfigError(f"{where}: the key {path!r} is missing; add it.")
    # What was received may be a password that was put there by mistake.
    raise ConfigError(f"{where}: {path}: {first['msg']}; correct it.")
