"""A run of Prefect's that another checkout takes up ends what the first left open in MLflow."""

from hdm.registry.ledger import OPEN, RETRAIN, Link, edit_ledger, ledger_file, read_ledger
from hdm.registry.lost_runs import FLOW_RUN
from hdm.registry.store import prepare
from hdm.registry.tracking import stage_run


def begun(line, stage):
    """The ids of a stage's run and its retrain run, as a killed process leaves them: open."""
    with stage_run(line, stage, {}) as run:
        pass
    store = prepare(line)
    with edit_ledger(line) as links:
        links[OPEN + stage] = Link(run.run_id, store.key)
        return run.run_id, links[RETRAIN].run_id


def test_who_takes_a_run_up_ends_what_its_first_worker_left_open(line, client, monkeypatch):
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", "flow-1")
    killed, retrain = begun(line, "ddm_train")
    client.update_run(killed, status="RUNNING")
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", "flow-2")
    elsewhere = client.create_run(prepare(line).experiment_id,
                                  tags={FLOW_RUN: "flow-2"}).info.run_id
    unknown = client.create_run(prepare(line).experiment_id).info.run_id
    ledger_file(line).unlink()  # the other checkout never had it
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", "flow-1")
    with stage_run(line, "ddm_train", {}) as run:
        assert client.get_run(run.run_id).data.tags[FLOW_RUN] == "flow-1"
        assert client.get_run(run.run_id).info.status == "RUNNING"
    assert [client.get_run(one).info.status for one in (killed, retrain, elsewhere, unknown)] == \
        ["KILLED", "KILLED", "RUNNING", "RUNNING"]
    assert client.get_run(read_ledger(line)[RETRAIN].run_id).info.status == "RUNNING"


def test_without_prefect_nothing_is_ended(line, client, monkeypatch):
    monkeypatch.delenv("PREFECT__FLOW_RUN_ID", raising=False)
    _, retrain = begun(line, "ingest")
    ledger_file(line).unlink()
    with stage_run(line, "ingest", {}) as run:
        assert FLOW_RUN not in client.get_run(run.run_id).data.tags
    assert client.get_run(retrain).info.status == "RUNNING"
