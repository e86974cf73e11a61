"""`hdm history`, `promote`, `rollback`, `pin` and `prune` on a real store."""

import json

import pytest

from hdm.cli import main
from hdm.registry.model_versions import aliases


@pytest.fixture
def hdm(line, monkeypatch, capsys):
    """`hdm("history", "plate")`: exit code, output and errors."""
    (line.project / "pipelines.yaml").write_text("lines: {plate: {source: {path: raw}}}\n")
    (line.project / "params.yaml").write_text("retention: {versions: 1}\n")
    monkeypatch.chdir(line.project)
    monkeypatch.setenv("HDM_ACTOR", "Ada")

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main(list(arguments))
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return run


@pytest.fixture
def three(client, line, monkeypatch):
    """Version 1 and 2 passed the gate, 3 was refused; none has files."""
    monkeypatch.setattr("hdm.registry.promotion.check_version", lambda *_: None)
    for decision in ("promote", "hold", "refuse"):
        client.create_model_version("hdm-plate", (line.project / "none").as_uri(), tags={
            "hdm.decision": decision, "hdm.reasons": "image_auroc_worse_than_champion",
            "hdm.image_auroc": "0.9"})
    return client


def test_a_year_in_the_life_of_a_line(hdm, three):
    assert hdm("promote", "plate", "1")[0] == 0
    assert hdm("promote", "plate", "2", "--why", "fewer escapes")[0] == 0
    code, out, _ = hdm("rollback", "plate", "--why", "false alarms since Monday")
    assert code == 0 and "version 1 is champion again" in out
    code, out, _ = hdm("history", "plate")
    assert code == 0
    rows = {row.split("│")[1].strip(): row for row in out.splitlines() if row.count("│") > 4}
    assert "champion" in rows["1"] and "now" in out
    assert "refuse" in rows["3"] and "by hand" not in out
    told = json.loads(hdm("history", "plate", "--json")[1])
    assert [row["version"] for row in told] == [3, 2, 1]
    assert [row["decision"] for row in told] == ["refuse", "hold", "promote"]
    assert told[2]["aliases"] == ["champion"] and told[2]["figures"]["image_auroc"] == 0.9
    assert [time["until"] == "" for time in told[2]["live"]] == [False, True]
    assert told[0]["live"] == [] and len(told[1]["live"]) == 1


def test_a_refused_version_needs_a_word_more(hdm, three):
    code, _, err = hdm("promote", "plate", "3")
    assert code == 6 and "the gate refused version 3" in err and "--even-refused" in err
    assert aliases(three, "hdm-plate") == {}
    assert hdm("promote", "plate", "3", "--even-refused")[0] == 0
    assert aliases(three, "hdm-plate") == {"champion": "3"}


def test_an_alias_moved_by_hand_is_told(hdm, three):
    three.set_registered_model_alias("hdm-plate", "champion", "2")
    code, out, err = hdm("history", "plate")
    assert code == 0, err
    assert "moved to version 2 by hand" in out


def test_what_does_not_exist_is_one_sentence(hdm, three, line):
    for arguments, said in (
            (("promote", "plate", "9"), "has no version 9"),
            (("rollback", "plate", "--why", "x"), "no previous version to return to"),
            (("pin", "plate", "9"), "has no version 9"),
            (("history", "mesh"), "no product line 'mesh'")):
        code, _, err = hdm(*arguments)
        assert code in (2, 6) and said in err and err.startswith("error: ")


def test_pinned_versions_survive_pruning(hdm, three):
    assert hdm("pin", "plate", "1")[0] == 0
    assert "would delete version 2" in hdm("prune", "plate", "--dry-run")[1]
    assert "deleted version 2" in hdm("prune", "plate")[1]
    assert "nothing to delete" in hdm("prune", "plate")[1]
    assert hdm("pin", "plate", "1", "--off")[0] == 0
    assert "deleted version 1" in hdm("prune", "plate")[1]


def test_without_a_store_it_says_how_to_get_one(hdm, line):
    (line.project / "mlflow.db").unlink()
    code, _, err = hdm("history", "plate")
    assert code == 6 and "`hdm run plate`" in err
