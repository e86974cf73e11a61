"""The flow of one line on a real DVC project and a real Prefect server."""

import subprocess
import sys
from pathlib import Path

import pytest
from retrained import artifacts, ending
from services import processes_in
from toy import calls

from flows import retrain
from flows.retrain import hdm_retrain, may_pass, stages_of
from flows.stage import StageFailed
from hdm.errors import ConfigError
from hdm.line import Line

pytestmark = pytest.mark.usefixtures("prefect_server")


def test_good_line_runs_every_stage_once_in_order(project: Path) -> None:
    result = hdm_retrain(product_line="good")
    assert result["decision"] == "promoted"
    assert result["metrics"]["image_auroc"] == 0.97
    assert calls(project) == [f"{stage}@good" for stage in (
        "samples", "configure", "ingest", "validate", "dagm_fit", "dagm_synthesize", "pom_filter",
        "ddm_train", "evaluate", "register")]
    shown = artifacts()
    assert "0.970" in shown["hdm-good-auroc"]
    assert "promoted" in shown["hdm-good-gate"]
    assert "worth training on" in shown["hdm-good-funnel"]
    assert "experiments/7/runs/abc123" in shown["hdm-good-mlflow-run"]
    assert "models/hdm-good/versions/3" in shown["hdm-good-links"]


@pytest.mark.usefixtures("short")
def test_gate_that_does_not_promote_is_a_completed_run_with_its_own_name(project: Path) -> None:
    state = ending("held_back")
    assert state.is_completed()
    assert state.name == "Held"
    assert "champion could not be scored" in state.message
    assert "champion could not be scored" in artifacts()["hdm-held-back-gate"]


@pytest.mark.usefixtures("short")
def test_bad_data_are_rejected_with_the_reason_and_nothing_after_them_runs(project: Path) -> None:
    state = ending("bad_data")
    assert state.is_failed()
    assert state.name == "Rejected data"
    assert state.message == \
        "validate@bad_data: 3 of 40 images are blank, first a.png; replace them."
    assert calls(project)[-1] == "validate@bad_data"
    assert calls(project).count("validate@bad_data") == 1
    assert "3 of 40 images are blank" in artifacts()["hdm-bad-data-failure"]


@pytest.mark.usefixtures("project")
def test_crash_is_failed_and_raises_where_the_flow_is_called_as_a_function(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrain, "STAGES", ("ddm_train", "register"))
    with pytest.raises(StageFailed, match="the loss is gone"):
        hdm_retrain(product_line="crashing")
    state = ending("crashing")
    assert (state.is_failed(), state.name) == (True, "Failed")
    assert "the loss is gone" in state.message


@pytest.mark.usefixtures("no_delay", "short")
def test_hindrance_that_passes_is_tried_again(project: Path) -> None:
    assert ending("locked").name == "Promoted"
    assert calls(project).count("register@locked") == 2


def test_unknown_line_and_bad_settings_fail_with_one_sentence(project: Path) -> None:
    state = ending("nobody")
    assert state.is_failed()
    assert "no product line 'nobody'" in state.message
    (project / "params.yaml").write_text("seeed: 1\n")
    assert "did you mean 'seed'?" in ending("good").message
    with pytest.raises(ConfigError):
        hdm_retrain(product_line="good")


def test_stage_that_takes_too_long_is_stopped(
        project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrain, "STAGES", ("ingest", "register"))
    (project / "params.yaml").write_text("stage_hours: 0.001\n")
    state = ending("stuck")
    assert (state.is_failed(), state.name) == (True, "Failed")
    assert state.message.startswith(
        "ingest@stuck: stopped after 0.001 hours, the limit `stage_hours`")
    assert processes_in(project) == []


def test_stages_end_with_the_store_probe_and_register(project: Path) -> None:
    assert stages_of(Line.load("good", project))[0] == "samples"
    stages = stages_of(Line.load("bad_data", project))
    assert (stages[0], stages[-2:]) == ("configure", ("store_probe", "register"))


def give_inbox(project: Path, name: str) -> None:
    file = project / "pipelines.yaml"
    text = file.read_text().replace("sample_lines: [good]", "sample_lines: []")
    file.write_text(text.replace("path: raw/good}", f"path: raw/good}}\n    inbox: {name}"))


@pytest.mark.usefixtures("short")
def test_an_inbox_is_taken_in_before_all_else(project: Path) -> None:
    (project / "inbox").mkdir()
    (project / "raw/good/good").mkdir(parents=True)
    give_inbox(project, "inbox")
    assert stages_of(Line.load("good", project))[:2] == ("inbox", "configure")
    assert ending("good").name == "Promoted"


@pytest.mark.usefixtures("short")
def test_an_inbox_that_cannot_be_read_stops_the_run_with_its_sentence(project: Path) -> None:
    (project / "raw/good/good").mkdir(parents=True)
    give_inbox(project, "nowhere")
    state = ending("good")
    assert state.is_failed()
    assert state.message.startswith("inbox@good: expected the inbox folder ")
    assert calls(project) == []


@pytest.mark.parametrize(("error", "again"), [
    (StageFailed("a", "b", "busy", passing=True), True),
    (StageFailed("a", "b", "blank"), False),
    (RuntimeError("a bug"), False),
])
def test_only_passing_failures_are_retried(error: Exception, again: bool) -> None:
    from prefect.states import Failed

    assert may_pass(None, None, Failed(data=error)) is again  # type: ignore[arg-type]


def test_delays_double() -> None:
    assert retrain.dvc_stage.retry_delay_seconds == [10, 20, 40, 80]


def test_flows_do_not_import_torch_or_mlflow() -> None:
    code = ("import sys, flows.retrain, hdm.orchestration.prefect_yaml\n"
            "print([m for m in ('torch', 'mlflow', 'diffusers', 'sklearn') if m in sys.modules])")
    root = Path(retrain.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True,
                          check=True)
    assert done.stdout.strip() == "[]"


def test_a_line_on_which_nothing_changed_says_so(project: Path, monkeypatch) -> None:
    monkeypatch.setattr(retrain, "STAGES", ("validate", "dagm_fit"))  # the latter has inputs
    assert ending("good").name == "Completed"
    again = ending("good")
    assert again.is_completed() and again.name == "Unchanged"
    assert "nothing to learn" in again.message


@pytest.mark.parametrize(("answer", "name", "commands"), [
    (True, "Promoted", 1), (False, "Held", 0)])
@pytest.mark.usefixtures("short")
def test_approval_by_a_person(project: Path, monkeypatch, answer, name, commands) -> None:
    """The question itself is Prefect's; what follows from each answer is ours."""
    from flows import approval

    asked = []
    monkeypatch.setattr(approval, "asked", lambda line: True)
    monkeypatch.setattr(approval, "ask", lambda line: asked.append(line.name) or answer)
    assert ending("held_back").name == name
    assert asked == ["held_back"]
