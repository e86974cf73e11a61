"""Where a local store's files belong."""

from pathlib import Path

import pytest

from hdm.registry.address import tracking_uri
from hdm.registry.artifact_root import artifact_location, foreign_folders, local_path, own_folder


def test_a_server_chooses_its_own_artifact_folder(tmp_path):
    assert artifact_location("http://127.0.0.1:5000") is None
    spaced = tmp_path / "öde platte"
    assert artifact_location(tracking_uri(spaced)) == (spaced / "mlruns").as_uri()


@pytest.mark.parametrize("database", ["mlflow.db", "stores/a.db", "stores/deep/b.db"])
def test_the_project_that_holds_the_database_holds_the_files(tmp_path, database):
    (tmp_path / "pipelines.yaml").touch()
    assert own_folder(tmp_path / database) == tmp_path / "mlruns"


def test_outside_any_project_they_are_beside_the_database(tmp_path):
    assert own_folder(tmp_path / "shared" / "a.db") == tmp_path / "shared" / "mlruns"


@pytest.mark.parametrize(("location", "path"), [
    ("file:///a/b%20c/%C3%B6", Path("/a/b c/ö")), ("/a/b", Path("/a/b")),
    ("s3://shelf/a", None), ("mlflow-artifacts:/1", None), ("dbfs:/a", None)])
def test_locations(location, path):
    assert local_path(location) == path


@pytest.mark.parametrize("content", [b"", None, b"no database"])
def test_what_is_no_store_records_nothing(tmp_path, content):
    file = tmp_path / "mlflow.db"
    if content is not None:
        file.write_bytes(content)
    if content == b"no database":
        with pytest.raises(Exception, match="not a database"):
            foreign_folders(file)
    else:
        assert foreign_folders(file) == []
