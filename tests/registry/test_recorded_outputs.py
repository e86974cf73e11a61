"""A line's own detector answers only as the stages made it: what DVC recorded is asked."""

import pytest
from recorded_stages import record_outputs
from registry_lines import make_line, write_detector, write_metrics

from hdm.errors import HDMError
from hdm.files import write_json
from hdm.registry.answering import Choice, answering
from hdm.registry.detector_files import assembled
from hdm.registry.recorded_outputs import check_recorded, folder_hash
from hdm.stage_run import NoRun
from hdm.stages import register


@pytest.fixture
def line(tmp_path, monkeypatch):
    line = make_line(tmp_path)
    write_json(line.operating_point_file, {"threshold": 0.5})
    write_detector(line, 2)
    write_metrics(line)
    return line


def judged(line):
    with answering(line, Choice(trained=True)) as found:
        return found.folder


def packed(line):
    with assembled(line) as folder:
        return folder


def test_a_folders_hash_is_dvcs():
    """Of two files, b/empty and a.txt with "x", as `dvc add` recorded it."""
    files = {"b/empty": "d41d8cd98f00b204e9800998ecf8427e",
             "a.txt": "9dd4e461268c8034f5c8564e155c67a6"}
    assert folder_hash(files) == "91d1304beda7859eb2ebefca01d68eaa.dir"


@pytest.mark.parametrize("use", [judged, packed])
@pytest.mark.parametrize(("harm", "said"), [
    (lambda line: write_json(line.detector_folder / "detector.json", {"gain": 3}),
     "data/plate/ddm_train is not what ddm_train made: a file in it was damaged"),
    (lambda line: (line.detector_folder / "more.json").write_text("{}"), "ddm_train made: a file"),
    (lambda line: write_json(line.operating_point_file, {"threshold": 9}),
     "evaluate/operating_point.json is not what evaluate made: it was damaged or changed"),
    (lambda line: (line.project / "dvc.lock").unlink(), "expected the hash of .* found none"),
    (lambda line: (line.project / "dvc.lock").write_text("stages:\n  ddm_train@plate:\n    cm"),
     "expected the hash of .* found none"),
], ids=["changed", "extra", "operating point", "no record", "half a record"])
def test_a_tampered_detector_does_not_answer(line, monkeypatch, use, harm, said):
    monkeypatch.setattr("hdm.registry.recorded_outputs.PAUSE", 0.0)
    assert use(line)
    harm(line)
    with pytest.raises(HDMError, match=f"{said}.*`hdm run plate`.*`dvc checkout "):
        use(line)


def test_dvcs_cache_tells_which_file(line):
    folder = line.stage_folder("ddm_train")
    known = {"detector/detector.json": "0" * 32}
    record = folder_hash(known)
    lock = line.project / "dvc.lock"
    lock.write_text(f"stages:\n  ddm_train@plate:\n    outs:\n    - path: data/plate/ddm_train\n"
                    f"      md5: {record}\n")
    write_json(line.project / ".dvc/cache/files/md5" / record[:2] / record[2:],
               [{"md5": "0" * 32, "relpath": "detector/detector.json"}])
    with pytest.raises(HDMError, match=r"made: detector/detector.json was damaged"):
        check_recorded(line, "ddm_train", folder)


@pytest.mark.parametrize("file", ["metrics.json", "detection.json", "scores.parquet"])
def test_the_gate_decides_by_nothing_that_was_changed(line, console, file):
    written = line.stage_folder("evaluate") / file
    written.write_text("as measured")
    record_outputs(line.project, line.name)
    written.write_text("better than measured")
    with pytest.raises(HDMError, match=f"evaluate/{file} "):
        register.run(line, line.params, NoRun(), console)
