"""Who is live: promotion, rollback and the history, against a registry in memory."""

from contextlib import suppress
from types import SimpleNamespace

import pytest
from registry_lines import make_line

from hdm.errors import RegistryError
from hdm.registry import promotion
from hdm.registry.decision_log import decisions_file, note, noted
from hdm.registry.history import LIVE, Service, services
from hdm.registry.promotion import WITHDRAWN, put_in_service, roll_back


class Registry:
    """Versions and aliases of one model."""

    def __init__(self, versions=("1", "2", "3"), **names):
        self.names, self.moves = dict(names), []
        self.versions = {v: SimpleNamespace(version=v, tags={}) for v in versions}

    def get_registered_model(self, _):
        return SimpleNamespace(aliases=dict(self.names))

    def search_model_versions(self, _):
        return list(self.versions.values())

    def get_model_version(self, _, version):
        return self.versions[version]

    def set_model_version_tag(self, _, version, key, value):
        self.versions[version].tags[key] = value

    def set_registered_model_alias(self, _, alias, version):
        self.moves.append(alias)
        self.names[alias] = version

    def delete_registered_model_alias(self, _, alias):
        self.names.pop(alias, None)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Each look at the clock is a second later."""
    times = iter(range(60))
    monkeypatch.setattr(promotion, "now", lambda: f"2026-01-01T00:00:{next(times):02}+00:00")
    monkeypatch.setenv("HDM_ACTOR", "Ada")
    monkeypatch.setattr(promotion, "check_version", lambda *_: None)  # no files here


@pytest.fixture
def plate(tmp_path):
    return make_line(tmp_path)


def actions(line):
    return [(entry["action"], entry["version"], entry["replaced"]) for entry in noted(line)]


def test_the_first_model_becomes_champion(plate):
    registry = Registry()
    put_in_service(registry, plate, "1", "no_champion")
    assert registry.names == {"champion": "1"}
    assert actions(plate) == [("promote", "1", "")]
    assert noted(plate)[0]["by"] == "Ada" and noted(plate)[0]["why"] == "no_champion"


def test_promotion_keeps_the_old_champion_and_clears_the_challenger(plate):
    registry = Registry(champion="1", challenger="3")
    put_in_service(registry, plate, "3", "better")
    assert registry.names == {"champion": "3", "previous": "1"}
    assert registry.moves == ["previous", "champion"]  # at no moment without champion


def test_a_newer_challenger_stays_when_an_older_version_is_promoted(plate):
    registry = Registry(champion="1", challenger="3")
    put_in_service(registry, plate, "2", "better")
    assert registry.names == {"champion": "2", "previous": "1", "challenger": "3"}


def test_finishing_an_interrupted_promotion_changes_nothing_more(plate):
    registry = Registry(champion="1")
    for _ in range(3):
        put_in_service(registry, plate, "2", "better")
    assert registry.names == {"champion": "2", "previous": "1"}
    assert registry.moves == ["previous", "champion"]
    assert actions(plate) == [("promote", "2", "1")]


def test_rollback_goes_back_one_and_then_further_back(plate):
    registry = Registry()
    for version in "123":
        put_in_service(registry, plate, version, "better")
    assert roll_back(registry, plate, "false alarms") == "2"
    assert registry.names == {"champion": "2", "previous": "1"}
    assert "by Ada: false alarms" in registry.versions["3"].tags[WITHDRAWN]
    assert roll_back(registry, plate, "again") == "1"
    assert registry.names == {"champion": "1"}
    with pytest.raises(RegistryError, match="no previous version to return to; name one"):
        roll_back(registry, plate, "more")
    assert actions(plate)[3:] == [("rollback", "2", "3"), ("rollback", "1", "2")]


def test_rollback_to_a_named_version(plate):
    registry = Registry()
    for version in "123":
        put_in_service(registry, plate, version, "better")
    assert roll_back(registry, plate, "known good", to="1") == "1"
    assert registry.names == {"champion": "1"}


class Killed(BaseException):
    pass


def killed_at(at, monkeypatch, registry, act):
    """`act`, which dies before its write number `at` to the registry or to the notes."""
    left = [at]

    def dying(original):
        def call(*given, **named):
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return original(*given, **named)
        return call

    with monkeypatch.context() as patch, suppress(Killed):
        for name in ("set_model_version_tag", "set_registered_model_alias",
                     "delete_registered_model_alias"):
            patch.setattr(registry, name, dying(getattr(registry, name)))
        patch.setattr(promotion, "note", dying(note))
        act()


@pytest.mark.parametrize("before", ["", "1"])
@pytest.mark.parametrize("at", range(6))
def test_a_killed_promotion_is_finished_by_doing_it_again(plate, monkeypatch, before, at):
    registry = Registry()
    for version in before:
        put_in_service(registry, plate, version, "first")
    registry.names["challenger"] = "2"
    killed_at(at, monkeypatch, registry, lambda: put_in_service(registry, plate, "2", "better"))
    put_in_service(registry, plate, "2", "better")
    assert registry.names == {"champion": "2", **({"previous": before} if before else {})}
    assert actions(plate)[len(before):] == [("promote", "2", before)]


@pytest.mark.parametrize("to", ["", "1"])
@pytest.mark.parametrize("at", range(8))
def test_a_killed_rollback_is_finished_by_doing_it_again(plate, monkeypatch, to, at):
    registry = Registry()
    for version in "12":
        put_in_service(registry, plate, version, "better")
    killed_at(at, monkeypatch, registry, lambda: roll_back(registry, plate, "alarms", to))
    if actions(plate)[-1][0] != "rollback":
        assert roll_back(registry, plate, "alarms", to) == "1"
    assert registry.names == {"champion": "1"} and WITHDRAWN in registry.versions["2"].tags
    assert actions(plate)[2:] == [("rollback", "1", "2")]


def test_a_lost_champion_does_not_hide_what_to_return_to(plate):
    registry = Registry()
    for version in "123":
        put_in_service(registry, plate, version, "better")
    roll_back(registry, plate, "alarms")
    registry.versions["2"].tags[WITHDRAWN] = "by hand"
    del registry.names["champion"]
    assert roll_back(registry, plate, "alarms") == "1"


@pytest.mark.parametrize(("to", "said"), [("3", "is live already"), ("9", "has no version 9")])
def test_rollback_to_nowhere_changes_nothing(plate, to, said):
    registry = Registry(champion="3", previous="2")
    with pytest.raises(RegistryError, match=said):
        roll_back(registry, plate, "why not", to=to)
    assert registry.names == {"champion": "3", "previous": "2"} and not noted(plate)


def test_history_says_who_was_live_when(plate):
    registry = Registry()
    put_in_service(registry, plate, "1", "first")
    put_in_service(registry, plate, "2", "better")
    roll_back(registry, plate, "worse after all")
    found = services(registry, "hdm-plate")
    assert [(s.version, bool(s.until)) for s in found] == [("1", True), ("2", True), ("1", False)]
    assert found[0].until == found[1].since and found[1].until == found[2].since
    assert found[2] == Service("1", found[2].since, "")
    assert len(registry.versions["1"].tags[LIVE].split()) == 2


def test_a_line_cut_off_by_a_crash_is_left_out(plate):
    note(plate, "hold", "1", "equal")
    with decisions_file(plate).open("a") as stream:
        stream.write('{"time": "2026-01')
    assert [entry["version"] for entry in noted(plate)] == ["1"]
    note(plate, "promote", "2", "better")
    assert [entry["version"] for entry in noted(plate)] == ["1", "2"]
