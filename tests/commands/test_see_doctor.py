"""`hdm doctor` as it is typed."""

import json
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PREFECT_API_URL", "MLFLOW_TRACKING_URI", "HDM_TRACKING"):
        monkeypatch.delenv(name, raising=False)


def test_it_ends_with_1_where_something_is_to_be_mended(hdm, project: Path) -> None:
    (project / "prefect.yaml").write_text("deployments: []\n")
    found = hdm("doctor")
    assert found.code == 1
    assert "problem settings: prefect.yaml is not what pipelines.yaml wants" in found.out
    assert "to be mended." in found.out.splitlines()[-1]


def test_json_holds_the_same_findings(hdm, project: Path) -> None:
    rows = json.loads(hdm("doctor", "--json").out)
    assert {"subject", "state", "sentence"} == set(rows[0])
    assert {"packages", "disk", "settings", "MLflow", "Prefect"} <= {row["subject"] for row in rows}


def test_it_changes_nothing(hdm, project: Path) -> None:
    before = sorted(project.rglob("*"))
    hdm("doctor")
    assert sorted(project.rglob("*")) == before
