"""The flow that looks: how it ends, and that an alarm asks for one retraining a cool-down."""

import json
from pathlib import Path
from typing import Any

import pytest
from recorded_stages import record_outputs

from flows import monitor
from flows.monitor import hdm_monitor
from hdm.monitoring.retrain_requests import read

pytestmark = pytest.mark.usefixtures("prefect_server")


def record(state: str, model: str = "3") -> dict[str, Any]:
    return {"line": "good", "model": model, "state": state, "images": 7,
            "sentence": f"good, version {model}: {state}.", "shares": {}, "streams": [{
                "name": "brightness", "level": 0.1, "expected": None, "highest": 3.0,
                "limit": 2.78, "says": "images have become darker"}]}


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(monitor, "emit_event", lambda event, **more: sent.append(
        {"event": event, **more}))
    return sent


@pytest.fixture
def sees(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`sees(record)` is what the next looks find."""
    def see(found: dict[str, Any]) -> None:
        monkeypatch.setattr(monitor, "look", lambda line, project: found)
    return see


def ending() -> Any:
    return hdm_monitor(product_line="good", return_state=True)


def test_steady_line_asks_for_nothing(project: Path, events: list[Any], sees: Any) -> None:
    sees(record("steady"))
    state = ending()
    assert (state.is_completed(), state.name) == (True, "Steady")
    assert state.message == "good, version 3: steady."
    assert not events
    assert not read(project / "data" / "good" / "monitor")


def test_an_alarm_storm_asks_once(project: Path, events: list[Any], sees: Any) -> None:
    sees(record("drift"))
    names = [ending().name for _ in range(3)]
    sees(record("drift", model="4"))  # the next version alarms at once, too
    names.append(ending().name)
    assert names == ["Drift", "Cooling down", "Cooling down", "Cooling down"]
    assert [event["event"] for event in events] == ["hdm.drift.detected"]
    assert events[0]["resource"]["prefect.resource.id"] == "hdm.line.good"
    assert events[0]["payload"]["model"] == "3"
    assert [entry["reason"] for entry in read(project / "data" / "good" / "monitor")] == \
        ["good, version 3: drift."]


def test_retraining_can_be_switched_off(project: Path, events: list[Any], sees: Any) -> None:
    (project / "params.yaml").write_text(json.dumps({"monitor": {"retrain": False}}))
    sees(record("drift"))
    state = ending()
    assert state.name == "Drift"
    assert "switched off" in state.message
    assert not events


@pytest.mark.parametrize("doubt", ["3 of 9 logged pictures do not say which part they show.", ""])
def test_where_parts_are_not_known_an_alarm_asks_for_nothing(
        project: Path, events: list[Any], sees: Any, doubt: str) -> None:
    sees({**record("drift"), "doubt": doubt})
    state = ending()
    assert state.name == "Drift" and doubt in state.message
    assert bool(events) is not bool(doubt)
    assert bool(read(project / "data" / "good" / "monitor")) is not bool(doubt)


def test_a_real_look_at_a_line_without_a_model(project: Path, events: list[Any]) -> None:
    state = ending()
    assert (state.is_completed(), state.name) == (True, "Idle"), state.message
    assert "has no model in service yet" in state.message
    assert (project / "data" / "good" / "monitor" / "index.html").is_file()


def test_a_look_that_cannot_be_made_fails_with_one_sentence(
        project: Path, events: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HDM_TRACKING", "off")
    folder = project / "data" / "good" / "ddm_train" / "detector"
    folder.mkdir(parents=True)
    (folder / "detector.json").write_text("{}")
    record_outputs(project, "good")
    state = ending()
    assert state.is_failed()
    assert state.message.startswith("monitor@good: expected a calibrated detector")
    assert "no product line 'x'" in hdm_monitor(product_line="x", return_state=True).message


def test_what_is_watched_becomes_an_artifact(project: Path, events: list[Any], sees: Any) -> None:
    from prefect.client.orchestration import get_client

    sees(record("drift"))
    ending()
    with get_client(sync_client=True) as client:
        found = [(artifact["key"], artifact["data"])
                 for artifact in client._client.post("/artifacts/filter", json={}).json()]
    assert any(key == "hdm-good-drift" and "images have become darker" in data
               for key, data in found)
    assert any(key == "hdm-good-monitor" and "# Drift" in data for key, data in found)
