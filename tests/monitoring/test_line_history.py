"""What the page is made of, from a real store."""

import shutil
from types import SimpleNamespace

from gathered_page import gathered

from hdm.files import write_json
from hdm.line import Line
from hdm.pipelines import ProductLine, Source
from hdm.registry import promotion
from hdm.registry.decision_log import note
from hdm.registry.promotion import put_in_service
from hdm.registry.store import prepare
from hdm.settings import Params


def test_champion_versions_decisions_and_drift(tmp_path, monkeypatch):
    monkeypatch.setattr(promotion, "check_version", lambda *_: None)  # no files here
    from hdm.registry.address import tracking_uri
    from hdm.registry.mlflow_client import connect

    line = Line("plate", tmp_path, ProductLine(source=Source(path="raw")), Params())
    prepare(line)
    client = connect(tracking_uri(tmp_path))
    for decision in ("promote", "hold"):
        client.create_model_version("hdm-plate", (tmp_path / "none").as_uri(), tags={
            "hdm.decision": decision, "hdm.image_auroc": "0.9", "hdm.retrain_run": "gone"})
    put_in_service(client, line, "1", "first")
    note(line, "hold", "2", "equal")
    write_json(line.folder / "monitor" / "status.json", {"state": "drift", "sentence": "darker"})
    found = gathered(line, client, SimpleNamespace())
    assert found.champion.version == 1 and found.champion.live[0].endswith("to now")
    assert [row.version for row in found.versions] == [2, 1]
    assert [entry["action"] for entry in found.decisions] == ["hold", "promote"]
    assert found.monitor["sentence"] == "darker"
    for version, state in (("1", "drift"), ("2", "idle")):
        write_json(line.folder / "monitor" / "status.json", {
            "state": "drift", "sentence": "darker", "model": version, "time": "noon"})
        assert gathered(line, client, SimpleNamespace()).monitor["state"] == state
    seen = gathered(line, client, SimpleNamespace()).monitor
    assert seen["time"] == "noon" and seen["sentence"] == (
        "Nobody has looked for drift of version 1 yet; the last look was at version 2.")
    assert found.sheets == () and "version 1 cannot be fetched" in found.sheets_problem
    shutil.rmtree(line.folder / "monitor")
    assert gathered(line, client, SimpleNamespace()).monitor == {}
