"""Telling people of an alarm: webhook, e-mail, MQTT."""
