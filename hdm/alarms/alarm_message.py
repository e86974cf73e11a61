"""What is told of an alarm: the same facts to every receiver."""

import hashlib
import json
import socket
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Message:
    """sentence: what has changed and since when. id: the same whenever the same alarm is told, so
    that a receiver knows it again. time: of the look, ISO 8601, UTC. page: where the trends are."""

    id: str
    event: Literal["drift", "test"]
    line: str
    version: str
    time: str
    sentence: str
    doubt: str = ""
    page: str = ""
    host: str = ""

    def body(self) -> bytes:
        """As JSON in UTF-8."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True).encode("utf-8")

    def subject(self) -> str:
        """One short line."""
        what = "an alarm" if self.event == "drift" else "a test of the alarms"
        return f"HDM: {what} of {self.line}"

    def text(self) -> str:
        """For people."""
        lines = [self.sentence, self.doubt, "",
                 f"Line: {self.line}", f"Model version: {self.version or 'none'}",
                 f"Looked at: {self.time}", f"Trends: {self.page} on {self.host}", "",
                 f"`hdm monitor {self.line}` shows the figures; this alarm is told once."
                 if self.event == "drift" else "Nothing has happened: somebody tested the alarms."]
        return "\n".join(line for number, line in enumerate(lines) if line or number != 1) + "\n"


def alarm_keys(record: dict[str, Any]) -> list[str]:
    """What of a record of `hdm monitor` is to be told: one key an alarm, which stays the same from
    look to look while the same version serves at the same threshold."""
    if record["state"] != "drift":
        return []
    return [f"{record['model']}/{record.get('threshold')}/{stream['name']}"
            for stream in record["streams"] if stream["alarm"]]


def alarm_message(record: dict[str, Any], keys: list[str], page: str) -> Message:
    """That of a record, because of these keys."""
    name = hashlib.sha256("\n".join([record["line"], *sorted(keys)]).encode()).hexdigest()[:16]
    return Message(name, "drift", record["line"], str(record["model"] or ""), record["time"],
                   record["sentence"], record.get("doubt") or "", page, socket.gethostname())


def trial_message(line: str, version: str, time: str, page: str) -> Message:
    """One that says that nothing has happened."""
    return Message(f"test-{time}", "test", line, version, time,
                   f"{line}: this is a test of the alarms; nothing has happened.", "", page,
                   socket.gethostname())
