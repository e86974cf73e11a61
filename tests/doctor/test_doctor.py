"""What `hdm doctor` finds: each fault by name, with its cure; nothing where all is well."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from answering_server import answering

from hdm.config import load_pipelines
from hdm.doctor import environment, model_registry, prefect_state, project_files
from hdm.doctor.finding import Finding, asked, problems
from hdm.errors import HDMError
from hdm.line import Line
from hdm.orchestration import prefect_yaml


@pytest.fixture
def lines(project: Path) -> list[Line]:
    return [Line.load(name, project) for name in load_pipelines(project).lines]


def of(findings: Iterator[Finding] | list[Finding], subject: str) -> Finding:
    return next(one for one in findings if one.subject == subject)


def test_an_error_is_a_problem_in_its_own_words() -> None:
    def broken() -> str:
        raise HDMError("expected a lamp, found none;\n switch it on.")

    found = [asked("lamp", broken), asked("belt", lambda: "it runs.")]
    assert found == [Finding("lamp", "problem", "expected a lamp, found none; switch it on."),
                     Finding("belt", "ok", "it runs.")]
    assert [one.subject for one in problems(found)] == ["lamp"]


@pytest.mark.parametrize(("pins", "state", "said"), [
    ("pytest=={pytest}", "ok", "1 packages as pinned"),
    ("# a remark\n--hash=x\npytest==0.1 ; python_version > '3'\n", "note", "instead of 0.1"),
    ("pytest==0.1 ; python_version < '3'", "ok", "no requirements.txt to compare"),
    ("no-such-package==1.0", "problem", "no-such-package not installed; run `make setup`")])
def test_packages_are_held_to_the_pins(
        tmp_path: Path, pins: str, state: str, said: str) -> None:
    (tmp_path / "requirements.txt").write_text(pins.format(pytest=pytest.__version__))
    found = of(environment.look(tmp_path, []), "packages")
    assert found.state == state and said in found.sentence


def test_a_disk_that_a_retraining_would_fill(
        lines: list[Line], project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = [environment.SPARE * 2]
    usage = shutil.disk_usage(project)
    monkeypatch.setattr(environment.shutil, "disk_usage",
                        lambda _: usage._replace(free=free[0]))
    assert of(environment.look(project, lines), "disk").state == "ok"
    free[0] = environment.SPARE // 2
    found = of(environment.look(project, lines), "disk")
    assert found.state == "problem" and "0.5 GiB are free" in found.sentence


def test_programs_that_are_missing_are_named(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = of(environment.look(tmp_path, []), "programs")
    assert found.state == "problem" and "git, dvc, mlflow, prefect not found" in found.sentence


def test_files_of_a_project_that_is_well(lines: list[Line], project: Path) -> None:
    prefect_yaml.write(project)
    for line in lines:
        line.source.mkdir(parents=True, exist_ok=True)
    assert [one.state for one in project_files.look(project, lines, ())] == \
        ["ok"] * (2 + len(lines))


def test_each_fault_of_the_files_has_its_cure(lines: list[Line], project: Path) -> None:
    prefect_yaml.write(project)
    (project / "prefect.yaml").write_text("deployments: []\n")
    (project / "dvc.lock").write_bytes(b"schema: '2.0'\nstages:\n  a:")
    shutil.rmtree(lines[0].source, ignore_errors=True)
    found = list(project_files.look(project, lines, ()))
    assert "`hdm deployments write`" in of(problems(found), "settings").sentence
    assert "`git checkout dvc.lock`" in of(problems(found), "dvc.lock").sentence
    assert "is not there" in of(problems(found), lines[0].name).sentence
    (project / "data").mkdir(exist_ok=True)
    (project / "data" / "dvc.lock").write_bytes(b"")
    found = list(project_files.look(project, lines, ()))
    assert "data/dvc.lock was cut off; delete it" in of(problems(found), "dvc.lock").sentence
    drawn = project_files.look(project, lines, [lines[0].name])
    assert of(drawn, lines[0].name).state == "ok"


def test_a_registry_that_is_not_there_yet_and_one_that_is_off(
        lines: list[Line], project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("HDM_TRACKING", raising=False)
    [found] = model_registry.look(project, lines)
    assert found.state == "ok" and "the first run makes it" in found.sentence
    assert not (project / "mlflow.db").exists()
    monkeypatch.setenv("HDM_TRACKING", "off")
    [found] = model_registry.look(project, lines)
    assert found.state == "note"


def test_a_registry_that_does_not_answer_says_the_cure_and_no_line(
        lines: list[Line], project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HDM_TRACKING", raising=False)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    [found] = model_registry.look(project, lines)
    assert found.state == "problem" and "Start that server" in found.sentence


def test_a_champion_whose_files_were_changed_is_a_problem(
        lines: list[Line], project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(*_: Any) -> None:
        raise HDMError("version 3: discriminator.safetensors is not the file that was registered.")

    monkeypatch.delenv("HDM_TRACKING", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(model_registry, "_store", lambda _: "it answers.")
    monkeypatch.setattr(model_registry, "live_version", lambda line: "3")
    (project / "mlflow.db").touch()
    monkeypatch.setattr(model_registry, "check_version", lambda *_: None)
    assert {one.state for one in model_registry.look(project, lines)} == {"ok"}
    monkeypatch.setattr(model_registry, "check_version", changed)
    found = list(problems(list(model_registry.look(project, lines))))
    assert [one.subject for one in found] == [line.model_name for line in lines]
    assert "is not the file" in found[0].sentence


def test_a_prefect_server_is_asked_for_what_this_project_needs(
        project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = prefect_yaml.deployments(project)
    flows = {flow: number for number, flow in enumerate(sorted({one.flow for one in wanted}))}
    answers: dict[str, tuple[int, Any]] = {
        "/ready": (200, {}), "/work_pools/hdm-pool/workers/filter": (
            200, [{"name": "w1", "status": "ONLINE"}, {"name": "w0", "status": "OFFLINE"}]),
        "/flows/filter": (200, [{"id": number, "name": name} for name, number in flows.items()]),
        "/deployments/filter": (200, [{"flow_id": flows[one.flow], "name": one.name}
                                      for one in wanted])}
    with answering(answers) as server:
        monkeypatch.setenv("PREFECT_API_URL", server.url)
        assert {one.state for one in prefect_state.look(project)} == {"ok"}
        assert of(prefect_state.look(project), "workers").sentence == "1 online."
        answers["/deployments/filter"][1].pop(0)
        answers["/work_pools/hdm-pool/workers/filter"] = (200, [])
        found = list(problems(list(prefect_state.look(project))))
        assert [one.subject for one in found] == ["deployments", "workers"]
        assert f"{wanted[0].flow}/{wanted[0].name} not on the server" in found[0].sentence
        assert "prefect worker start --pool hdm-pool --type hdm" in found[1].sentence
        answers["/work_pools/hdm-pool/workers/filter"] = (404, {})
        assert "no pool hdm-pool" in of(prefect_state.look(project), "workers").sentence
        answers["/ready"] = (503, {})
        [found_one] = prefect_state.look(project)
        assert "cannot reach its database" in found_one.sentence
        answers["/ready"] = (404, {})
        [found_one] = prefect_state.look(project)
        assert found_one.state == "problem" and "as a Prefect server" in found_one.sentence


def test_a_prefect_server_that_is_away_or_not_used(
        project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    [found] = prefect_state.look(project)
    assert found.state == "problem" and "prefect server start" in found.sentence
    monkeypatch.delenv("PREFECT_API_URL")
    [found] = prefect_state.look(project)
    assert found.state == "note"
