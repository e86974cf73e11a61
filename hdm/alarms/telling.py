"""An alarm is told once to each receiver; one that is away is told at a later look."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hdm.alarms.alarm_message import Message, alarm_keys, alarm_message, trial_message
from hdm.alarms.alarm_settings import Receivers, receivers
from hdm.alarms.mail import send
from hdm.alarms.mqtt import publish
from hdm.alarms.webhook import post
from hdm.errors import HDMError
from hdm.files import cannot_write, make_folder, write_json
from hdm.line import Line

TOLD = "told.json"
LONGEST = 90.0
"""Seconds for all receivers together, which are told side by side."""
REMEMBERED = 500
"""Newest alarms that are remembered for each receiver."""
Send = Callable[[Message], None]


def tell(line: Line, record: dict[str, Any], page: Path) -> list[str]:
    """Tell what is new of a record of `hdm monitor`; returns a sentence for each receiver that was
    told now, or could not be. Raises nothing that is the fault of alarms.yaml, of a receiver or of
    the disk: an alarm that cannot be told must not hide the look."""
    try:
        known = receivers(line.project, line.name)
        keys = alarm_keys(record)
        if not keys or not any(_senders(known)):
            return []
        make_folder(line.monitor_folder)
        # Another look that is telling the same is not waited for.
        with FileLock(line.monitor_folder / f".{TOLD}.lock", timeout=0):
            return _tell_new(line, record, keys, known, page)
    except Timeout:
        return []
    except (HDMError, OSError) as error:
        return [f"alarms cannot be told: {error}"]


def trial(line: Line, version: str, page: Path) -> dict[str, str]:
    """Send a test to every receiver of the line: by receiver what went wrong, "" where nothing did.
    Raises ConfigError for an alarms.yaml that is none."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    message = trial_message(line.name, version, now, str(page))
    return _side_by_side({name: (sender, message) for name, sender
                          in _senders(receivers(line.project, line.name))})


def told(folder: Path) -> dict[str, list[str]]:
    """By receiver, the keys of the alarms that it was told, the newest last."""
    try:
        content = json.loads((folder / TOLD).read_text(encoding="utf-8"))
        return {str(name): [str(key) for key in keys] for name, keys in content.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise HDMError(f"{folder / TOLD} cannot be read ({error}); delete it, and alarms that "
                       "stand are told once more.") from None


def _tell_new(line: Line, record: dict[str, Any], keys: list[str], known: Receivers, page: Path
              ) -> list[str]:
    before = told(line.monitor_folder)
    new = {name: fresh for name, _ in _senders(known)
           if (fresh := [key for key in keys if key not in before.get(name, [])])}
    found = _side_by_side({name: (sender, alarm_message(record, new[name], str(page)))
                           for name, sender in _senders(known) if name in new})
    done = {name: [*before.get(name, []), *new[name]][-REMEMBERED:]
            for name, trouble in found.items() if not trouble}
    if done:
        try:
            write_json(line.monitor_folder / TOLD, before | done)
        except OSError as error:
            raise cannot_write(line.monitor_folder / TOLD, error) from error
    return [sentence_of(name, trouble) for name, trouble in found.items()]


def sentence_of(name: str, trouble: str) -> str:
    """What is said of one receiver."""
    return f"{name}: {trouble}; it is tried again at the next look" if trouble else \
        f"{name}: told of the alarm"


def _senders(known: Receivers) -> Iterator[tuple[str, Send]]:
    if known.webhook:
        hook = known.webhook
        yield "webhook", lambda message: post(hook, message)
    if known.mail:
        mail = known.mail
        yield "mail", lambda message: send(mail, message)
    if known.mqtt:
        broker = known.mqtt
        yield "mqtt", lambda message: publish(broker, message)


def _side_by_side(wanted: dict[str, tuple[Send, Message]]) -> dict[str, str]:
    """Tell each in a thread that nobody waits for longer than LONGEST: a receiver that answers a
    byte a minute must not hold the look up."""
    found = dict.fromkeys(wanted, f"it did not take the message within {LONGEST:g} s")

    def work(name: str, sender: Send, message: Message) -> None:
        try:
            sender(message)
            found[name] = ""
        except HDMError as error:
            found[name] = str(error)
        except Exception as error:  # whatever a library raises, the others are told
            found[name] = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"

    threads = [threading.Thread(target=work, args=(name, *what), daemon=True)
               for name, what in wanted.items()]
    for thread in threads:
        thread.start()
    until = time.monotonic() + LONGEST
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return dict(found)
