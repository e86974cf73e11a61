"""The manifest keeps what it was given and refuses what later stages could not bear."""

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from hdm.dataset.manifest import SCHEMA, Manifest, Row
from hdm.errors import DataError

ROOT = Path("/source")


def row(path, **changes):
    values = {"path": path, "split": "train", "label": 0, "defect_type": "good",
              "mask_path": None, "group": path, "width": 32, "height": 24, "channels": 1,
              "bit_depth": 8, "bits": 8, "sha256": "0" * 64}
    return Row(**{**values, **changes})


ROWS = [row("b.png", split="test", label=1, defect_type="dent", mask_path="m/b.png"),
        row("a.png", channels=3, bit_depth=16), row("c.png", split="calibration")]


def test_round_trip_sorts_by_path(tmp_path):
    Manifest.of(ROWS, ROOT).save(tmp_path / "m.parquet")
    loaded = Manifest.load(tmp_path / "m.parquet", ROOT)
    assert list(loaded) == sorted(ROWS)
    assert len(loaded) == 3
    assert list(loaded.frame.columns) == SCHEMA.names


def test_equal_manifests_are_equal_bytes(tmp_path):
    Manifest.of(ROWS, ROOT).save(tmp_path / "one")
    Manifest.of(ROWS[::-1], ROOT).save(tmp_path / "two")
    Manifest.load(tmp_path / "one", ROOT).save(tmp_path / "three")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes() \
        == (tmp_path / "three").read_bytes()


def test_files_of_a_row():
    manifest = Manifest.of(ROWS, ROOT)
    good, defect, _ = manifest
    assert manifest.image_file(defect) == ROOT / "b.png"
    assert manifest.mask_file(defect) == ROOT / "m/b.png"
    assert manifest.mask_file(good) is None
    assert [manifest.mask_file(r) for r in manifest.frame.itertuples()] == \
        [None, ROOT / "m/b.png", None]


def test_split_keeps_the_others_out():
    manifest = Manifest.of(ROWS, ROOT)
    assert [r.path for r in manifest.split("calibration")] == ["c.png"]
    assert len(manifest.split("holdout")) == 0 and list(manifest.split("holdout")) == []
    with pytest.raises(DataError, match="no split 'validation'"):
        manifest.split("validation")


@pytest.mark.parametrize(("changes", "problem"), [
    ({"split": "val"}, "unknown split"), ({"label": 2}, "neither 0 nor 1"),
    ({"label": 1}, "disagree"), ({"defect_type": "dent"}, "disagree"),
    ({"label": 1, "defect_type": "dent"}, "defect in train"),
    ({"width": 0}, "empty image"), ({"channels": 4}, "neither 1 nor 3"),
    ({"bit_depth": 12}, "neither 8 nor 16"), ({"bits": 9}, "more bits"),
    ({"sha256": "ab"}, "SHA-256"),
    ({"path": "/etc/x.png"}, "not relative"), ({"path": "../x.png"}, "not relative"),
    ({"mask_path": "../m.png"}, "not relative"), ({"path": "a.png"}, "occurs twice"),
])
def test_illegal_rows_are_refused(changes, problem):
    with pytest.raises(DataError, match=problem):
        Manifest.of([row("a.png"), row("z.png")._replace(**changes)], ROOT)


def test_order_is_checked(tmp_path):
    frame = Manifest.of(ROWS, ROOT).frame.iloc[::-1].reset_index(drop=True)
    with pytest.raises(DataError, match="order of path"):
        Manifest(frame, ROOT).save(tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_wrong_columns_and_types_are_refused(tmp_path):
    frame = Manifest.of(ROWS, ROOT).frame
    with pytest.raises(DataError, match="expected the columns"):
        Manifest(frame.drop(columns="group"), ROOT).save(tmp_path / "m")
    with pytest.raises(DataError, match="wrong type"):
        Manifest(frame.assign(width="wide"), ROOT).save(tmp_path / "m")
    frame.drop(columns="group").to_parquet(tmp_path / "m")
    with pytest.raises(DataError, match="expected the columns"):
        Manifest.load(tmp_path / "m", ROOT)


def test_missing_and_damaged_files(tmp_path):
    with pytest.raises(DataError, match="run the ingest stage first"):
        Manifest.load(tmp_path / "m", ROOT)
    (tmp_path / "m").write_bytes(b"PAR1 no")
    with pytest.raises(DataError, match="not a readable Parquet"):
        Manifest.load(tmp_path / "m", ROOT)


def test_file_is_plain_parquet(tmp_path):
    Manifest.of(ROWS, ROOT).save(tmp_path / "m")
    assert pq.read_schema(tmp_path / "m").equals(SCHEMA)
    assert pd.read_parquet(tmp_path / "m")["mask_path"].notna().sum() == 1
