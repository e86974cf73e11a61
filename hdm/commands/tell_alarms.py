"""`hdm alarms`: who is told of a line's alarms, and whether that works."""

import sys
from typing import Annotated

import typer

from hdm.alarms import telling
from hdm.alarms.alarm_settings import ALARMS, Receivers, receivers
from hdm.commands.json_output import AsJson, print_json
from hdm.commands.line_name import LineName
from hdm.errors import HDMError
from hdm.line import Line
from hdm.monitoring.drift_check import PAGE
from hdm.registry.answering import champion_or_why
from hdm.terminal import say


def alarms(
    line: LineName,
    test: Annotated[bool, typer.Option("--test", help=(
        "Send a test message to each of them."))] = False,
    as_json: AsJson = False,
) -> None:
    """Show who is told of a line's alarms, and what they were told; or send them a test."""
    chosen = Line.load(line)
    known = receivers(chosen.project, line)
    places = _places(known)
    if as_json and not test:
        told = telling.told(chosen.monitor_folder)
        print_json({name: {"place": place, "told": len(told.get(name, []))}
                    for name, place in places.items()})
        return
    if not places:
        say(f"nobody is told of alarms of {line}; {chosen.project / ALARMS} says who is")
        return
    if not test:
        told = telling.told(chosen.monitor_folder)
        for name, place in places.items():
            say(f"{name}: {place}; told of {len(told.get(name, []))} alarms so far")
        return
    found = telling.trial(chosen, _version(chosen), chosen.monitor_folder / PAGE)
    for name, trouble in found.items():
        say(f"{name}: {places[name]}: {trouble or 'it took the test message'}")
    failed = [name for name, trouble in found.items() if trouble]
    if failed:
        say(f"error: {', '.join(failed)} did not take the test message (see above); correct "
            f"{ALARMS}, or the receiver.", sys.stderr)
        raise typer.Exit(1)


def _places(known: Receivers) -> dict[str, str]:
    """Where each message goes."""
    found = {}
    if known.webhook:
        # What follows the host may be a key of its own, as with chat services.
        scheme, _, rest = known.webhook.url.partition("://")
        found["webhook"] = f"{scheme}://{rest.partition('/')[0].rpartition('@')[2]}/..."
    if known.mail:
        found["mail"] = f"{', '.join(known.mail.to)} by {known.mail.host}:{known.mail.port}"
    if known.mqtt:
        found["mqtt"] = f"{known.mqtt.topic} at {known.mqtt.host}:{known.mqtt.port}"
    return found


def _version(line: Line) -> str:
    try:
        return champion_or_why(line)[0] or ""
    except HDMError:  # the alarms are tested, not the registry
        return ""
