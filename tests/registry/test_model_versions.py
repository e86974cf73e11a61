"""Aliases and versions against a registry in memory."""

from types import SimpleNamespace

import pytest

from hdm.errors import RegistryError
from hdm.registry.model_versions import (
    CHAMPION_BEFORE,
    FINGERPRINT,
    Champion,
    aliases,
    champion_before,
    files_of,
    find_champion,
)


class Registry:
    """Versions and aliases of one model."""

    def __init__(self, versions=("1", "2", "3"), tags=None, **names):
        self.names = dict(names)
        self.versions = {v: SimpleNamespace(version=v, tags=(tags or {}).get(v, {}))
                         for v in versions}

    def get_registered_model(self, _):
        return SimpleNamespace(aliases=dict(self.names))

    def search_model_versions(self, _):
        return list(self.versions.values())

    def get_model_version(self, _, version):
        return self.versions[version]


def test_champion_and_its_fingerprint():
    registry = Registry(tags={"2": {FINGERPRINT: "abc"}}, champion="2")
    assert find_champion(registry, "hdm-plate") == Champion("2", "abc")
    assert find_champion(Registry(), "hdm-plate") is None


def test_an_alias_of_a_deleted_version_points_nowhere():
    registry = Registry(versions=("1",), champion="2", previous="1")
    assert aliases(registry, "hdm-plate") == {"previous": "1"}
    assert find_champion(registry, "hdm-plate") is None


def test_the_champion_that_a_version_was_compared_with():
    registry = Registry(tags={"3": {CHAMPION_BEFORE: "2"}, "2": {FINGERPRINT: "abc"}})
    assert champion_before(registry, "hdm-plate", "3") == Champion("2", "abc")
    assert champion_before(registry, "hdm-plate", "2") is None


def test_lost_files_of_a_version_are_a_sentence():
    def gone(_):
        raise FileNotFoundError("mlruns")
    mlflow = SimpleNamespace(artifacts=SimpleNamespace(download_artifacts=gone))
    with pytest.raises(RegistryError, match="hdm-plate version 3 cannot be fetched"):
        files_of(mlflow, "hdm-plate", "3")
