"""An alarm as MQTT message."""

from typing import Any

from hdm.alarms.alarm_message import Message
from hdm.alarms.alarm_settings import Mqtt, secret
from hdm.errors import HDMError


def publish(settings: Mqtt, message: Message) -> None:
    """Returns when the broker has confirmed it, as `qos` says; raises HDMError."""
    try:
        from paho.mqtt import MQTTException
        from paho.mqtt import publish as broker
    except ImportError:
        raise HDMError("it needs the package paho-mqtt; say `pip install hdm[mqtt]`") from None
    login: Any = {"username": settings.user, "password": secret(settings.password_env)
                  if settings.password_env else None} if settings.user else None
    encrypted: Any = {} if settings.tls else None
    topic = settings.topic.replace("{line}", message.line)
    try:
        broker.single(topic, message.body(), qos=settings.qos, retain=settings.retain,
                      hostname=settings.host, port=settings.port, auth=login,
                      tls=encrypted)
    except (OSError, ValueError) as error:
        raise HDMError(f"it cannot be reached ({' '.join(str(error).split())[:200]})") from None
    except MQTTException as error:
        raise HDMError(f"it refused the message ({error})") from None
