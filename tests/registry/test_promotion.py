"""Aliases and versions against a registry in memory."""

from types import SimpleNamespace

import pytest

from hdm.errors import RegistryError
from hdm.registry.gate import Decision
from hdm.registry.promotion import (
    FINGERPRINT,
    RETRAIN_RUN,
    Champion,
    _left_behind,
    aliases,
    detector_of,
    find_champion,
    move_aliases,
)


class Registry:
    """Versions and aliases of one model."""

    def __init__(self, versions=("1", "2", "3"), tags=None, **names):
        self.names, self.moves = dict(names), []
        self.versions = {v: SimpleNamespace(version=v, tags=(tags or {}).get(v, {}))
                         for v in versions}

    def get_registered_model(self, _):
        return SimpleNamespace(aliases=dict(self.names))

    def search_model_versions(self, _):
        return list(self.versions.values())

    def get_model_version(self, _, version):
        return self.versions[version]

    def set_registered_model_alias(self, _, alias, version):
        self.moves.append(alias)
        self.names[alias] = version

    def delete_registered_model_alias(self, _, alias):
        self.names.pop(alias, None)


def move(registry, version, outcome, champion, fingerprint="new"):
    return move_aliases(registry, "hdm-plate", version, Decision(outcome, ()), champion,
                        fingerprint)


def test_the_first_model_becomes_champion():
    registry = Registry()
    assert move(registry, "1", "promote", None) == ["champion"]
    assert registry.names == {"champion": "1"}


def test_promotion_keeps_the_old_champion_and_clears_the_challenger():
    registry = Registry(champion="1", previous="0", challenger="2")
    move(registry, "3", "promote", Champion("1", "old"))
    assert registry.names == {"champion": "3", "previous": "1"}
    assert registry.moves == ["previous", "champion"]  # at no moment without champion


@pytest.mark.parametrize("outcome", ["refuse", "hold"])
def test_otherwise_only_the_challenger_moves(outcome):
    registry = Registry(champion="1", previous="0")
    assert move(registry, "2", outcome, Champion("1", "old")) == ["challenger"]
    assert registry.names == {"champion": "1", "previous": "0", "challenger": "2"}


def test_the_same_model_again_does_not_cost_the_way_back():
    registry = Registry(champion="2", previous="1")
    move(registry, "3", "promote", Champion("2", "same"), fingerprint="same")
    assert registry.names == {"champion": "3", "previous": "1"}


def test_finishing_an_interrupted_promotion_changes_nothing_more():
    registry = Registry(champion="2", previous="1")
    move(registry, "2", "promote", Champion("2", "new"))
    assert registry.names == {"champion": "2", "previous": "1"}


def test_champion_and_its_fingerprint():
    registry = Registry(tags={"2": {FINGERPRINT: "abc"}}, champion="2")
    assert find_champion(registry, "hdm-plate") == Champion("2", "abc")
    assert find_champion(Registry(), "hdm-plate") is None


def test_an_alias_of_a_deleted_version_points_nowhere():
    registry = Registry(versions=("1",), champion="2", previous="1")
    assert aliases(registry, "hdm-plate") == {"previous": "1"}
    assert find_champion(registry, "hdm-plate") is None


def test_a_version_left_behind_is_found_by_run_and_fingerprint():
    registry = Registry(tags={"2": {FINGERPRINT: "abc", RETRAIN_RUN: "run"}})
    assert _left_behind(registry, "hdm-plate", "run", "abc") == "2"
    assert _left_behind(registry, "hdm-plate", "run", "other") is None
    assert _left_behind(registry, "hdm-plate", "other", "abc") is None


def test_lost_files_of_a_version_are_a_sentence():
    def gone(_):
        raise FileNotFoundError("mlruns")
    mlflow = SimpleNamespace(artifacts=SimpleNamespace(download_artifacts=gone))
    with pytest.raises(RegistryError, match="hdm-plate version 3 cannot be fetched"):
        detector_of(mlflow, "hdm-plate", "3")
