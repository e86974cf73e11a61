"""The pinned versions: hashed, the same in both lists, and compared with advisories offline."""

import json
import zipfile
from pathlib import Path

import pytest
from packaging.version import Version

from benchmarks.advisories.__main__ import main
from benchmarks.advisories.pinned_versions import advisories, findings, pins

ROOT = Path(__file__).parents[2]
PINNED, HASHED = ((ROOT / name).read_text() for name in ("requirements.txt",
                                                         "requirements.hashes.txt"))


def advisory(events: list | None = None, **change) -> dict:
    affected = {"package": {"ecosystem": "PyPI", "name": "Some_Thing"},
                "ranges": [{"type": "ECOSYSTEM", "events": events or []}]}
    return {"id": "OSV-1", "summary": "bad", "affected": [affected | change]}


@pytest.mark.parametrize(("version", "events", "hit"), [
    ("1.4", [{"introduced": "0"}], True),
    ("1.4", [{"introduced": "0"}, {"fixed": "1.4"}], False),
    ("1.4rc1", [{"introduced": "0"}, {"fixed": "1.4"}], True),
    ("1.4", [{"introduced": "0"}, {"last_affected": "1.4"}], True),
    ("1.10", [{"introduced": "1.9"}, {"fixed": "1.11"}], True),
    ("1.4", [{"introduced": "0"}, {"fixed": "1.2"}, {"introduced": "1.3"}], True),
    ("1.4", [{"introduced": "1.5"}], False),
])
def test_ranges(version, events, hit) -> None:
    assert bool(findings({"some-thing": Version(version)}, [advisory(events)])) == hit


def test_named_versions_other_ecosystems_and_withdrawn_ones() -> None:
    pinned = {"some-thing": Version("1.4")}
    everything = [{"introduced": "0"}]
    assert findings(pinned, [advisory(versions=["1.4.0", "no version"])])
    assert not findings(pinned, [advisory(versions=["1.3"])])
    assert not findings(pinned, [advisory(everything, package={"ecosystem": "npm",
                                                               "name": "some-thing"})])
    assert not findings(pinned, [advisory(everything) | {"withdrawn": "2026-01-01T00:00:00Z"}])


def test_files_folders_and_archives(tmp_path) -> None:
    one = advisory()
    (tmp_path / "a.json").write_text(json.dumps(one))
    (tmp_path / "more").mkdir()
    (tmp_path / "more/b.json").write_text(json.dumps([one, one]))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("OSV-1.json", json.dumps(one))
    assert [len(list(advisories(path))) for path in (
        tmp_path, tmp_path / "a.json", tmp_path / "all.zip")] == [3, 1, 1]


def test_the_command_tells_by_its_exit_code(tmp_path, capsys) -> None:
    file = tmp_path / "a.json"
    for name, code in (("Some_Thing", 0), ("Torch", 1)):
        file.write_text(json.dumps(advisory([{"introduced": "0"}], package={
            "ecosystem": "PyPI", "name": name})))
        assert main([str(file)]) == code
    assert "torch==" in capsys.readouterr().out
    file.write_text("[1]")
    assert main([str(file)]) == main([str(tmp_path / "none")]) == main([]) == 2
    assert capsys.readouterr().err.count("error: ") == 3


def test_both_lists_pin_the_same_versions_but_torch() -> None:
    pinned, hashed = pins(PINNED), pins(HASHED)
    assert set(pinned) - set(hashed) == {"torch"} and hashed.items() <= pinned.items()


def test_each_hashed_version_has_hashes_and_no_list_has_an_address() -> None:
    blocks = [block for block in HASHED.split("\n") if block and block[0] not in "# "]
    assert all(block.rstrip().endswith("\\") for block in blocks)
    assert HASHED.count("--hash=sha256:") > len(blocks) >= 250
    assert "://" not in PINNED + HASHED and "--index" not in PINNED + HASHED
