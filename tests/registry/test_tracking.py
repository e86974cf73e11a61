"""A stage is a run nested in the retrain run; tracking never costs a result."""

import logging
import shutil
from types import SimpleNamespace

import pytest
from registry_lines import copy_store, make_line

from hdm.errors import RegistryError, ValidationFailed
from hdm.registry import outbox, tracking
from hdm.registry.ledger import OPEN, RETRAIN, Link, edit_ledger, read_ledger
from hdm.registry.store import prepare
from hdm.registry.tracking import MlflowRun, data_hash, flatten, stage_run
from hdm.stage_run import NoRun


def log_something(line, stage="ingest", **params):
    with stage_run(line, stage, params) as run:
        run.log_metrics({"loss": 2.0, "missing": None}, step=1)
        run.log_metrics({"loss": 1.0}, step=2)
    return run.run_id


def test_a_run_holds_all_that_was_logged(line, client, tmp_path):
    line.manifest_file.parent.mkdir(parents=True)
    line.manifest_file.write_bytes(b"manifest")
    (tmp_path / "note.txt").write_text("x")
    (tmp_path / "sheets").mkdir()
    (tmp_path / "sheets" / "a.png").touch()
    with stage_run(line, "ddm_train", {"network": {"stem": 4}, "steps": 10}) as run:
        run.log_metrics({"loss": 2.0, "none": None}, step=1)
        run.log_metrics({"loss": 1.0}, step=2)
        run.log_artifact(tmp_path / "note.txt", "notes")
        run.log_artifact(tmp_path / "sheets", "sheets")
        run.log_text("report.md", "# fine")
        run.log_table("by_type", [{"type": "dent", "auroc": 0.9}, {"type": "hole", "auroc": None}])
        run.log_table("nothing", [])
        run.set_tags({"n": 3})
    data = client.get_run(run.run_id)
    assert data.info.status == "FINISHED"
    assert data.data.params == {"network.stem": "4", "steps": "10"}
    assert data.data.metrics == {"loss": 1.0}
    assert [(m.step, m.value) for m in client.get_metric_history(run.run_id, "loss")] == \
        [(1, 2.0), (2, 1.0)]
    tags = data.data.tags
    assert (tags["line"], tags["stage"], tags["n"]) == ("plate", "ddm_train", "3")
    assert tags["data_hash"] == data_hash(line)
    files = {f.path for folder in ("", "notes", "sheets")
             for f in client.list_artifacts(run.run_id, folder)}
    assert {"report.md", "by_type.json", "notes/note.txt", "sheets/a.png"} <= files


def test_stages_of_one_retrain_share_their_parent(line, client):
    first, second = log_something(line), log_something(line, "validate")
    parent = read_ledger(line)[RETRAIN].run_id
    assert {client.get_run(r).data.tags["mlflow.parentRunId"] for r in (first, second)} == {parent}
    assert client.get_run(parent).data.tags["kind"] == "retrain"
    assert client.get_run(parent).info.status == "RUNNING"
    assert read_ledger(line)["validate"] == Link(second, prepare(line).key)


def test_a_failing_stage_is_a_failed_run_with_its_reason(line, client):
    made = log_something(line)
    with pytest.raises(ValidationFailed), stage_run(line, "ingest", {}) as run:
        raise ValidationFailed("3 images are too dark.\nsecond line")
    assert client.get_run(run.run_id).info.status == "FAILED"
    assert client.get_run(run.run_id).data.tags["reason"] == "3 images are too dark."
    parent = client.get_run(read_ledger(line)[RETRAIN].run_id)
    assert (parent.info.status, parent.data.tags["failed_stage"]) == ("FAILED", "ingest")
    assert read_ledger(line)["ingest"].run_id == made  # whose outputs are still there
    log_something(line)
    assert client.get_run(parent.info.run_id).info.status == "RUNNING"


def test_an_interrupted_stage_is_killed_also_when_it_could_not_say_so(line, client):
    with pytest.raises(KeyboardInterrupt), stage_run(line, "ingest", {}) as run:
        raise KeyboardInterrupt
    assert client.get_run(run.run_id).info.status == "KILLED"
    lost = client.create_run(prepare(line).experiment_id).info.run_id
    with edit_ledger(line) as links:
        links[OPEN + "validate"] = Link(lost, prepare(line).key)
    log_something(line, "validate")
    assert client.get_run(lost).info.status == "KILLED"
    assert OPEN + "validate" not in read_ledger(line)


@pytest.mark.parametrize("loss", ["unknown", "deleted", "other store"])
def test_a_parent_that_is_gone_is_replaced(line, client, loss):
    log_something(line)
    old = read_ledger(line)[RETRAIN]
    if loss == "deleted":
        client.delete_run(old.run_id)
    else:
        with edit_ledger(line) as links:
            links[RETRAIN] = Link("0" * 32, old.store) if loss == "unknown" \
                else Link(old.run_id, "9@9")
    log_something(line)
    assert read_ledger(line)[RETRAIN].run_id not in (old.run_id, "0" * 32)


def test_a_project_moved_to_an_emptied_store_goes_on(line, template, tmp_path):
    log_something(line)
    moved = make_line(tmp_path / "moved")
    shutil.copytree(line.folder, moved.folder)
    copy_store(template, moved.project)
    before = read_ledger(line)[RETRAIN].run_id
    log_something(moved)
    assert read_ledger(moved)[RETRAIN].run_id != before


def test_an_unreachable_store_is_an_error_before_anything_is_computed(line, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(RegistryError, match="cannot be used"), stage_run(line, "ingest", {}):
        pytest.fail("the stage was computed")


def test_switched_off_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.setenv("HDM_TRACKING", "off")
    line = make_line(tmp_path)
    assert log_something(line) is None
    assert list(tmp_path.iterdir()) == []


class Broken:
    """A client whose server went away."""

    def __init__(self):
        self.calls = 0

    def __getattr__(self, name):
        def call(*args, **kwargs):
            self.calls += 1
            raise OSError("connection reset\nand more")
        return call


def test_a_store_that_stays_away_costs_two_warnings_and_no_time(caplog, monkeypatch):
    monkeypatch.setattr(outbox, "PATIENCE", 0.0)
    broken = Broken()
    run = MlflowRun(broken, "id")
    with caplog.at_level(logging.WARNING):
        run.log_params({"a": 1})
        run.log_text("a.md", "x")
        run.log_metrics({"loss": 1.0})
        run.flush()
        run.set_tags({"a": 1})
        run.finish("FINISHED")
    assert len(caplog.records) == 2
    assert "connection reset" in caplog.text and "has gaps" in caplog.text
    assert broken.calls == 2  # one attempt, then silence until the end


@pytest.mark.parametrize("sentence", [
    "connection reset", "HTTPConnectionPool(host='x'): Read timed out.", "database is locked",
    "server closed the connection unexpectedly"])
def test_a_store_that_comes_back_misses_nothing(line, client, monkeypatch, sentence):
    run_id = client.create_run(prepare(line).experiment_id).info.run_id
    monkeypatch.setattr(outbox, "PAUSE", 0.0)
    away = Away(client, sentence)
    run = MlflowRun(away, run_id)
    run.log_params({"a": 1})
    run.log_metrics({"loss": 1.0}, step=1)
    run.log_text("note.md", "x")
    run.finish("FINISHED")
    assert away.calls_left == 0
    told = client.get_run(run_id)
    assert (told.info.status, told.data.params, told.data.metrics) == (
        "FINISHED", {"a": "1"}, {"loss": 1.0})
    assert [file.path for file in client.list_artifacts(run_id)] == ["note.md"]


def test_what_is_refused_holds_nothing_up(line, client, caplog):
    run_id = client.create_run(prepare(line).experiment_id).info.run_id
    run = MlflowRun(client, run_id)
    run.log_artifact(line.folder / "nowhere.txt")
    run.log_params({"a": 1})
    run.finish("FINISHED")
    assert client.get_run(run_id).data.params == {"a": "1"}
    assert client.get_run(run_id).info.status == "FINISHED"
    assert len(caplog.records) == 1


class Away:
    """A client whose server answers after three attempts."""

    def __init__(self, client, sentence):
        self.client, self.sentence, self.calls_left = client, sentence, 3

    def __getattr__(self, name):
        if not self.calls_left:
            return getattr(self.client, name)
        self.calls_left -= 1
        raise OSError(self.sentence)


def test_metrics_are_sent_in_bunches_while_the_stage_runs(monkeypatch):
    sent = []

    class Client:
        def log_batch(self, run_id, metrics=(), **_):
            sent.append(len(metrics))
    now = [0.0]
    monkeypatch.setattr(tracking, "time", SimpleNamespace(monotonic=lambda: now[0],
                                                          time=lambda: now[0]))
    run = MlflowRun(Client(), "id")
    for step in range(30):
        run.log_metrics({"loss": 1.0}, step=step)
        now[0] += 0.1
    run.flush()
    assert 3 <= len(sent) <= 4
    assert sum(sent) == 30


def test_many_params_go_in_several_requests():
    sizes = []

    class Client:
        def log_batch(self, run_id, params=(), **_):
            sizes.append(len(params))
    MlflowRun(Client(), "id").log_params({f"p{n}": n for n in range(250)})
    assert sizes == [100, 100, 50]


def test_null_object_has_every_method():
    public = {name for name in vars(tracking.StageRun) if name.startswith(("log_", "set_"))}
    assert public <= set(vars(NoRun))
    run = NoRun()
    run.log_params({})
    run.log_metrics({}, step=1)
    run.log_table("a", [])
    run.log_text("a", "b")
    run.set_tags({})
    assert run.run_id is None


def test_flatten():
    assert flatten({"a": {"b": {"c": 1}, "d": [1, 2]}, "e": None}) == \
        {"a.b.c": 1, "a.d": [1, 2], "e": None}


def test_data_hash_before_ingest(tmp_path):
    assert data_hash(make_line(tmp_path)) is None
