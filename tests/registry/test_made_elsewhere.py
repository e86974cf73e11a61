"""Two checkouts that share a registry: what one registered, the other does not once more."""

from dataclasses import replace

import pytest
from registry_lines import retrain

from hdm.registry.history import receipt_file
from hdm.registry.ledger import ledger_file
from hdm.stages import register


def leave(line):
    """As in another checkout: nothing is known here of what was decided."""
    receipt_file(line).unlink(missing_ok=True)
    ledger_file(line).unlink(missing_ok=True)


def numbers(client):
    return sorted(int(v.version) for v in client.search_model_versions("name = 'hdm-plate'"))


def test_the_same_detector_is_the_same_version_with_the_same_receipt(ready, client, console):
    first = retrain(ready, console, 1.0)
    leave(ready)
    assert retrain(ready, console, 1.0) == first
    assert numbers(client) == [1]
    assert "made elsewhere" in console.file.getvalue()
    runs = client.search_runs([first["experiment_id"]], "tags.kind = 'retrain'")
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_another_detector_or_other_settings_are_decided_on(ready, client, console):
    retrain(ready, console, 1.0)
    leave(ready)
    assert retrain(ready, console, 1.1)["version"] == "2"
    leave(ready)
    params = ready.params.model_copy(update={"seed": 9})
    assert retrain(replace(ready, params=params), console, 1.1)["version"] == "3"


def test_what_another_checkout_began_is_finished_in_its_run(ready, client, console, monkeypatch):
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        def killed(*_):
            raise KeyboardInterrupt
        patched.setattr(register, "carry_out", killed)
        retrain(ready, console, 1.0)
    assert numbers(client) == [1]
    [begun] = client.search_model_versions("name = 'hdm-plate'")
    leave(ready)
    receipt = retrain(ready, console, 1.0)
    assert (receipt["version"], receipt["outcome"]) == ("1", "promote")
    assert receipt["run_id"] == begun.run_id
    assert numbers(client) == [1]
