"""Retraining from a page: by Prefect where its server has the line, and stopped there."""

import time

import pytest
from answering_server import answering
from ordering_line import ordering_line, wait_for_end

from hdm.errors import HDMError
from hdm.home import orders, retraining

NUMBER = "0b5c6a5e-3f5f-4d1c-9d7e-0a8e4f6f1a11"
STATE = f"/flow_runs/{NUMBER}/set_state"
PREFECT = ("import sys, time\n"
           "print('Creating flow run...', flush=True)\n"
           "time.sleep(1)\n"
           f"print('└── UUID: {NUMBER}', flush=True)\n"
           "time.sleep(2)\n"
           "sys.exit(1)\n")
"""Has its number after a second and sees its run cancelled two seconds later."""


@pytest.fixture
def line(tmp_path, monkeypatch):
    return ordering_line(tmp_path, monkeypatch, prefect=PREFECT)


def test_without_a_server_the_line_is_retrained_here(monkeypatch):
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert retraining.command("plate") == ("hdm", "run", "plate")


def test_a_server_that_has_the_line_retrains_it_and_one_that_has_not_does_not(monkeypatch):
    with answering({"/deployments/name/hdm-retrain/plate": (200, {"id": "7"})}) as server:
        monkeypatch.setenv("PREFECT_API_URL", server.url + "/")
        assert retraining.command("plate") == (
            "prefect", "deployment", "run", "hdm-retrain/plate", "--watch")
        assert retraining.command("mesh") == ("hdm", "run", "mesh")


@pytest.mark.parametrize("answer", [None, 500, 401])
def test_a_server_that_does_not_answer_is_no_reason_to_train_twice(monkeypatch, answer):
    """The line may be at work on another machine."""
    path = "/deployments/name/hdm-retrain/plate"
    with answering({path: (answer, {})} if answer else {}) as server:
        monkeypatch.setenv("PREFECT_API_URL", server.url if answer else "http://127.0.0.1:9/api")
        with pytest.raises(HDMError, match=r"server at .* to answer \(.*`prefect server start`"):
            retraining.command("plate")


def test_a_run_of_prefect_is_stopped_by_its_server(line, monkeypatch):
    """Who watches it is left to see how it ends, whichever machine it runs on."""
    with answering({STATE: (201, {"status": "ACCEPT"})}) as server:
        monkeypatch.setenv("PREFECT_API_URL", server.url)
        orders.begin(line, ["prefect", "deployment", "run"], "ann")
        retraining.stop(line)  # before its number is known
        assert orders.last(line).running
        assert server.asked == [("POST", STATE, {"state": {"type": "CANCELLING"}})]
        assert wait_for_end(line).code == 1


def test_a_run_that_cannot_be_stopped_says_so_and_goes_on(line, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    orders.begin(line, ["prefect", "deployment", "run"], "ann")
    with pytest.raises(HDMError, match="to answer"):
        retraining.stop(line)
    assert orders.last(line).running
    wait_for_end(line)


def test_a_command_of_this_machine_is_stopped_here(line, monkeypatch):
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    orders.begin(line, ["hdm", "sleep"], "ann")
    began = time.monotonic()
    retraining.stop(line)
    assert wait_for_end(line).state == "failed"
    assert time.monotonic() - began < 20
