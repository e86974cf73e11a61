"""Servers of this machine behind a company's proxy."""

import os
from urllib.request import proxy_bypass_environment

import pytest

from hdm.registry.loopback import spare_loopback


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.mark.parametrize(("before", "hosts"), [
    ({}, "127.0.0.1,localhost"), ({"NO_PROXY": "*"}, "*"),
    ({"no_proxy": "plant.example, localhost"}, "plant.example,localhost,127.0.0.1"),
    ({"NO_PROXY": "a", "no_proxy": "b"}, "a,b,127.0.0.1,localhost")])
def test_what_was_excepted_stays_so(monkeypatch, before, hosts):
    for name, value in before.items():
        monkeypatch.setenv(name, value)
    for _ in range(2):
        spare_loopback()
        assert os.environ["NO_PROXY"] == os.environ["no_proxy"] == hosts
    assert proxy_bypass_environment("127.0.0.1") and proxy_bypass_environment("localhost")
    assert bool(proxy_bypass_environment("elsewhere.example")) is ("*" in hosts)
