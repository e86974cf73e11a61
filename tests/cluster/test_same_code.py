"""A worker that would not compute the same is told apart, with what to do."""

from hdm.cluster import same_code
from hdm.cluster.same_code import objection, versions


def test_the_same_code_and_files_are_no_objection(tmp_path):
    assert objection(versions(), tmp_path) == "" == objection(versions(), None)


def test_other_versions_and_folders_that_are_not_there_are_named(tmp_path):
    assert objection(versions() | {"torch": "1.0"}, None).startswith("has torch ")
    assert "expected 1.0" in objection(versions() | {"torch": "1.0"}, None)
    assert f"does not see {tmp_path / 'none'}" in objection(versions(), tmp_path / "none")


def test_all_code_has_a_part_in_its_name(tmp_path, monkeypatch):
    names = set()
    monkeypatch.setattr(same_code, "PACKAGE", tmp_path)
    for text in ("a = 1\n", "a = 2\n"):
        (tmp_path / "one.py").write_text(text)
        names.add(same_code._digest())
    (tmp_path / "two.py").write_text("")
    assert len(names | {same_code._digest()}) == 3


def test_a_worker_that_may_start_no_process_is_told_how_to_be_started(monkeypatch):
    monkeypatch.setattr(same_code.multiprocessing.current_process(), "_config", {"daemon": True})
    assert "start it with DASK_DISTRIBUTED__WORKER__DAEMON=False" in objection(versions(), None)
