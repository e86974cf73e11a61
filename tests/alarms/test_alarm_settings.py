"""alarms.yaml: what is refused, in which words, and what a line says of its own."""

import json
from typing import Any

import pytest

from hdm.alarms.alarm_settings import Alarms, check_alarms, receivers
from hdm.errors import ConfigError
from hdm.line import Line

MAIL = {"host": "mail.example.com", "sender": "hdm@example.com", "to": ["ann@example.com"]}


def written(line: Line, content: Any) -> None:
    (line.project / "alarms.yaml").write_text(
        content if isinstance(content, str) else json.dumps(content))


def test_without_the_file_nobody_is_told(line: Line) -> None:
    found = receivers(line.project, "plate")
    assert (found.webhook, found.mail, found.mqtt) == (None, None, None)


def test_a_line_overrides_single_keys(line: Line) -> None:
    written(line, {"mail": MAIL, "webhook": {"url": "http://x.example"}, "lines": {
        "plate": {"mail": {"to": ["bob@example.com"]}, "webhook": None}}})
    own, other = receivers(line.project, "plate"), receivers(line.project, "other")
    assert own.mail and other.mail and other.webhook and own.webhook is None
    assert (own.mail.to, own.mail.host) == (("bob@example.com",), "mail.example.com")
    assert other.mail.to == ("ann@example.com",)


@pytest.mark.parametrize(("content", "said"), [
    ({"mial": MAIL}, "alarms.yaml: unknown key 'mial'; did you mean 'mail'?"),
    ({"mail": MAIL | {"password": "s3cret"}}, "unknown key 'mail.password'"),
    ({"mail": {"host": "x", "sender": "a@b"}}, "the key 'mail.to' is missing; add it."),
    ({"webhook": {"url": "ftp://x"}}, "alarms.yaml: webhook.url: "),
    ({"webhook": {"url": "http://x", "timeout": 0}}, "webhook.timeout: "),
    ({"mail": MAIL | {"to": ["ann"]}}, "mail.to.0: "),
    ({"mail": MAIL | {"to": ["ann@x\nBcc: all@x"]}}, "mail.to.0: "),
    ({"lines": {"plate": {"mail": {"hots": "x"}}}}, "lines.plate: unknown key 'mail.hots'"),
    ("- a", "expected a mapping of keys, found a list"), ("a: [", "is not readable YAML")])
def test_mistakes_are_one_sentence(line: Line, content: Any, said: str) -> None:
    written(line, content)
    with pytest.raises(ConfigError) as error:
        receivers(line.project, "plate")
    assert said in str(error.value) and "\n" not in str(error.value)


def test_what_was_put_in_place_of_a_variables_name_is_not_shown(line: Line) -> None:
    written(line, {"webhook": {"url": "http://x", "secret_env": "my secret!"}})
    with pytest.raises(ConfigError) as error:
        receivers(line.project, "plate")
    assert "webhook.secret_env" in str(error.value) and "my secret" not in str(error.value)


def test_a_line_that_is_none_is_found(line: Line) -> None:
    written(line, {"lines": {"plates": {"webhook": None}}})
    with pytest.raises(ConfigError, match="lines names 'plates', which is not in"):
        check_alarms(line.project, ["plate"])
    written(line, {"lines": {"plate": {"webhook": None}}})
    check_alarms(line.project, ["plate"])


def test_every_key_is_documented() -> None:
    schema = Alarms.model_json_schema()
    bare = [f"{name}.{key}" for name, model in schema["$defs"].items()
            for key, field in model["properties"].items() if not field.get("description")]
    assert bare == [] and all(field.get("description") for field in schema["properties"].values())
