"""Alarms by MQTT, against a real broker."""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from services import free_port, wait_for

from hdm.alarms.alarm_message import Message
from hdm.alarms.alarm_settings import Mqtt
from hdm.alarms.mqtt import publish
from hdm.errors import HDMError

pytest.importorskip("paho.mqtt", reason="pip install hdm[mqtt] for the tests of MQTT")
BROKER = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
needs_broker = pytest.mark.skipif(
    BROKER is None, reason="the broker is not installed: apt-get install mosquitto")
MESSAGE = Message("ab12", "drift", "plate", "3", "2026-10-01T19:00:00Z", "plate: darker.")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    """The port of one that lets `hdm` in with the password `s3cret`."""
    port, users = free_port(), tmp_path / "users"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(users), "hdm", "s3cret"], check=True)
    users.chmod(0o644)
    tmp_path.chmod(0o755)
    settings = tmp_path / "broker.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous false\n"
                        f"password_file {users}\nuser root\n")
    process = subprocess.Popen([str(BROKER), "-c", str(settings)])
    try:
        wait_for(lambda: _reachable(port), 20, "the broker answers")
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _reachable(port: int) -> bool:
    import socket

    with socket.create_connection(("127.0.0.1", port), 1):
        return True


def listener(port: int, topic: str, came: list[Any]) -> Any:
    import paho.mqtt.client as mqtt

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.username_pw_set("hdm", "s3cret")
    ready = threading.Event()
    client.on_connect = lambda *_: client.subscribe(topic, 1)
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = lambda _, __, message: came.append((message.topic, message.payload))
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert ready.wait(10)
    return client


@needs_broker
def test_a_listener_hears_the_alarm(broker: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANT_MQTT", "s3cret")
    came: list[Any] = []
    client = listener(broker, "hdm/#", came)
    publish(Mqtt(host="127.0.0.1", port=broker, user="hdm", password_env="PLANT_MQTT"), MESSAGE)
    wait_for(lambda: came, 10, "the message comes")
    client.loop_stop()
    [(topic, payload)] = came
    assert topic == "hdm/plate/alarm"
    assert json.loads(payload)["sentence"] == "plate: darker."


@needs_broker
def test_a_broker_that_does_not_know_us_is_one_sentence(broker: int,
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANT_MQTT", "wrong")
    with pytest.raises(HDMError, match=r"it refused the message .*[Nn]ot authori"):
        publish(Mqtt(host="127.0.0.1", port=broker, user="hdm", password_env="PLANT_MQTT"),
                MESSAGE)


def test_a_broker_that_is_away_is_one_sentence() -> None:
    with pytest.raises(HDMError, match="it cannot be reached"):
        publish(Mqtt(host="127.0.0.1", port=free_port()), MESSAGE)
