"""Which detector answers, and that everything else shows the figures of the same one."""

from types import SimpleNamespace

import pytest
from crafted_store import MODEL, add_versions
from gathered_page import gathered
from registry_lines import make_line, write_detector, write_images, write_metrics

from hdm.errors import ConfigError, HDMError, RegistryError
from hdm.files import read_json
from hdm.line import TRAINED
from hdm.orchestration.line_result import LineResult
from hdm.registry import store
from hdm.registry.answering import Choice, answering
from hdm.registry.fetch import live_version
from hdm.registry.gate import Packaged
from hdm.registry.history import champion_of, versions
from hdm.registry.mlflow_client import load_mlflow
from hdm.registry.promotion import put_in_service, roll_back
from hdm.registry.tracking import stage_run
from hdm.registry.version_report import version_report
from hdm.serving import champion_watch
from hdm.serving.champion_watch import Slot, Watcher
from hdm.serving.prometheus import Metrics
from hdm.serving.serving_options import Options
from hdm.stages import register


def gain_of(line, choice=None) -> tuple[str, float, str]:
    """Version, the number that its detector is, and what is said of it."""
    with answering(line, choice) as found:
        return found.version, read_json(found.folder / "detector.json")["gain"], found.note


@pytest.fixture
def three(line, client):
    """Versions 1 to 3, gains 0 to 2; 2 is champion; what was trained last has gain 9."""
    add_versions(line, 3)
    write_detector(line, 9)
    put_in_service(client, line, "2", "better")
    return line


def test_the_champion_answers_unless_another_is_chosen(three, client) -> None:
    assert gain_of(three) == ("2", 1, "")
    assert gain_of(three, Choice(version="3")) == ("3", 2, "")
    assert gain_of(three, Choice(trained=True)) == (TRAINED, 9, "")
    assert gain_of(three, Choice(model=f"models:/{MODEL}/1")) == ("1", 0, "")
    assert gain_of(three, Choice(model=str(three.detector_folder))) == (TRAINED, 9, "")
    put_in_service(client, three, "3", "better")
    assert gain_of(three)[:2] == ("3", 2)
    assert gain_of(three, Choice(model=f"models:/{MODEL}@previous"))[:2] == ("2", 1)
    roll_back(client, three, "false alarms")
    assert gain_of(three)[:2] == ("2", 1)


def test_mlflow_is_not_asked_for_what_is_in_the_file_system(three, monkeypatch) -> None:
    monkeypatch.setattr("hdm.registry.fetch.connect", lambda _: pytest.fail("mlflow was asked"))
    monkeypatch.setattr(store, "connect", lambda _: pytest.fail("mlflow was asked"))
    assert gain_of(three)[0] == "2"
    assert gain_of(three, Choice(version="1"))[0] == "1"


def test_the_trained_one_stands_in_and_says_so(three, client, monkeypatch) -> None:
    client.delete_registered_model_alias(MODEL, "champion")
    assert gain_of(three) == (TRAINED, 9, "plate has no live version yet: the detector that was "
                                          "trained last answers.")
    put_in_service(client, three, "1", "back")
    monkeypatch.setenv("HDM_TRACKING", "off")
    version, gain, note = gain_of(three)
    assert (version, gain) == (TRAINED, 9) and note.startswith("HDM_TRACKING is off")


def test_a_line_that_was_never_registered(tmp_path) -> None:
    line = make_line(tmp_path)
    with pytest.raises(HDMError, match="`hdm run plate`"), answering(line):
        pass
    write_detector(line, 4)
    assert gain_of(line)[:2] == (TRAINED, 4)
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.parametrize(("choice", "error", "said"), [
    (Choice(version="9"), RegistryError, "no models:/hdm-plate/9"),
    (Choice(version="two"), ConfigError, "expected a version number"),
    (Choice(version="-1"), ConfigError, "expected a version number"),
    (Choice(version="1", trained=True), ConfigError, "at most one of"),
    (Choice(trained=True, model="somewhere"), ConfigError, "at most one of"),
    (Choice(model="somewhere"), HDMError, "expected a detector in somewhere"),
    (Choice(model=f"models:/{MODEL}@nobody"), RegistryError, "no models:/hdm-plate@nobody")])
def test_what_cannot_answer_is_one_sentence(three, choice, error, said) -> None:
    with pytest.raises(error, match=said), answering(three, choice):
        pass


def test_a_registry_that_is_away_is_no_reason_to_take_another_model(three, monkeypatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(RegistryError, match="cannot be used"), answering(three):
        pass
    assert gain_of(three, Choice(trained=True))[0] == TRAINED


def test_a_champion_whose_files_are_damaged_does_not_answer(three, client) -> None:
    client.set_model_version_tag(MODEL, "2", "hdm.sha256sums", "0" * 64)
    with pytest.raises(RegistryError, match="not those that were registered"), answering(three):
        pass


def train(line, console, gain: float, auroc: float) -> None:
    write_detector(line, gain)
    write_metrics(line, image_auroc=auroc)
    (line.stage_folder("evaluate") / "report.html").write_text(f"report of gain {gain}")
    with stage_run(line, "evaluate", {"bootstrap": 1}):
        pass
    with stage_run(line, "register", {}) as run:
        register.run(line, line.params, run, console)


def all_say(line, client, monkeypatch) -> tuple[set[str], float | None, str]:
    """The versions that predict, serve, results, page and history name; the AUROC and the report
    that belong to them."""
    loaded = []
    monkeypatch.setattr(champion_watch, "load", lambda line, version, backend: loaded.append(
        version) or SimpleNamespace(version=version))
    Watcher([Slot(line)], Options(), Metrics()).look()
    result, page = LineResult.load(line), gathered(line, client, load_mlflow())
    record = champion_of(versions(line))
    with answering(line) as found:
        gain = read_json(found.folder / "detector.json")["gain"]
    report = version_report(line, record).read_text()
    assert report == f"report of gain {gain}"
    assert page.champion.image_auroc == record.image_auroc == result.figures["image_auroc"]
    return {found.version, *loaded, result.version, str(page.champion.version),
            str(record.version), str(live_version(line))}, record.image_auroc, result.last


def test_after_a_refusal_and_a_rollback_all_name_the_same_version(
        line, client, fake_package, console, monkeypatch) -> None:
    write_images(line)
    monkeypatch.setattr(register, "check_packaged", lambda *_: Packaged(6, 0.0, 0, 1.0))
    train(line, console, -1.0, 0.9)
    assert all_say(line, client, monkeypatch) == ({"1"}, 0.9, "version 1 promoted")
    train(line, console, -2.0, 0.1)
    assert all_say(line, client, monkeypatch) == ({"1"}, 0.9, "version 2 refused")
    assert "version 1 answers for plate" in LineResult.load(line).note
    train(line, console, 1.0, 0.95)
    assert all_say(line, client, monkeypatch) == ({"3"}, 0.95, "version 3 promoted")
    assert LineResult.load(line).note == ""
    roll_back(client, line, "false alarms")
    assert all_say(line, client, monkeypatch) == ({"1"}, 0.9, "version 3 promoted")
