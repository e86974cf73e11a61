"""What retention may delete: the rule by itself, and on a real store."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from registry_lines import write_detector, write_images, write_metrics

from hdm.errors import RegistryError
from hdm.registry.decision_log import noted
from hdm.registry.gate import Packaged
from hdm.registry.history import versions
from hdm.registry.model_versions import aliases
from hdm.registry.retention import expendable, pin, protected, prune
from hdm.registry.tracking import stage_run
from hdm.stages import register


@pytest.mark.parametrize(("versions", "protected", "keep", "going"), [
    ([1, 2, 3, 4, 5], [], 2, [1, 2, 3]), ([1, 2, 3, 4, 5], [1, 5], 2, [2]),
    ([1, 2], [], 5, []), ([5, 3, 1], [3], 1, [1]), ([], [], 1, [])])
def test_rule(versions, protected, keep, going):
    assert expendable(versions, protected, keep) == going


@given(st.sets(st.integers(1, 50)), st.sets(st.integers(1, 50)), st.integers(1, 10))
def test_protected_and_newest_never_go(versions, protected, keep):
    going = set(expendable(sorted(versions), protected, keep))
    stay = versions - going
    assert versions & protected <= stay
    assert len(stay - protected) == min(keep, len(versions - protected))
    assert all(left > gone for left in stay - protected for gone in going)


@pytest.fixture
def five(line, fake_package, console, monkeypatch):
    """Five versions: 3 is champion and 1 was before it, 5 is challenger."""
    monkeypatch.setattr(register, "check_packaged", lambda *_: Packaged(6, 0.0, 0, 1.0))
    write_images(line)
    for gain, auroc in ((-1.0, 0.9), (-2.0, 0.9), (1.0, 1.0), (-3.0, 0.9), (-4.0, 0.9)):
        write_detector(line, gain)
        write_metrics(line, image_auroc=auroc)
        with stage_run(line, "register", {}) as run:
            register.run(line, line.params, run, console)
    return line


def test_old_versions_go_with_their_files_and_the_live_ones_stay(five, client):
    names = aliases(client, "hdm-plate")
    assert names == {"champion": "3", "previous": "1", "challenger": "5"}
    assert prune(client, five, 1, dry_run=True) == [2]
    models = {folder.parent.parent.name for folder in
              five.project.glob("mlruns/**/models/*/artifacts/MLmodel")}
    assert len(models) == 5
    assert prune(client, five, 1) == [2]
    assert [record.version for record in versions(five)] == [5, 4, 3, 1]
    assert aliases(client, "hdm-plate") == names
    assert len(list(five.project.glob("mlruns/**/models/*/artifacts/MLmodel"))) == 4
    assert noted(five)[-1]["action"] == "delete" and noted(five)[-1]["version"] == "2"
    assert prune(client, five, 1) == []
    pin(client, "hdm-plate", "4", True)
    assert protected(client, "hdm-plate")[4] == "pinned"
    with pytest.raises(RegistryError, match="has no version 9"):
        pin(client, "hdm-plate", "9", True)
    assert prune(client, five, 0, dry_run=True) == []
    assert prune(client, five, 0) == [], "a pinned version stays whatever is to be kept"
    pin(client, "hdm-plate", "4", False)
    assert 4 not in protected(client, "hdm-plate")
    assert prune(client, five, 0) == [4]
    assert aliases(client, "hdm-plate") == names


def test_a_version_that_gets_an_alias_meanwhile_stays(five, client):
    class Busy:
        """Somebody makes 4 the challenger while 2 is being deleted."""

        def __getattr__(self, name):
            return getattr(client, name)

        def delete_model_version(self, model, version):
            client.delete_model_version(model, version)
            client.set_registered_model_alias(model, "challenger", "4")

    assert prune(Busy(), five, 0, dry_run=True) == [2, 4]
    assert prune(Busy(), five, 0) == [2]
    assert [record.version for record in versions(five)] == [5, 4, 3, 1]
