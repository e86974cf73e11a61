"""One plant's story from images to the registry, through real DVC, MLflow and Prefect.

The tests build on one another, in this order; each starts from what the one before left.
"""

import json
import shutil
import sqlite3
import textwrap
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from plant import (
    LINE,
    OTHER,
    ROOT,
    Plant,
    call,
    commit,
    contents,
    override,
    read_yaml,
    receipt,
    stages_run,
    write_yaml,
)

from hdm.config import STAGES

OUTPUTS = {
    "ingest": ("manifest.parquet", "masks.json", "split_table.json", "test_set.json",
               "left_aside.json"),
    "validate": ("verdict.json", "statistics.parquet", "docs/index.html"),
    "dagm_fit": ("input.json", "prior/prior.safetensors", "prior/prior.json",
                 "prior/backbone.safetensors", "quality.json", "loss.csv"),
    "dagm_synthesize": ("bank.safetensors", "bank.parquet", "sheet.png"),
    "pom_filter": ("selection.parquet", "funnel.json", "sheet.png"),
    "ddm_train": ("detector/detector.json", "detector/discriminator.safetensors",
                  "detector/evidence.safetensors", "detector/operating_point.json",
                  "detector/prior/prior.safetensors", "calibration.json", "loss.csv"),
    "evaluate": ("metrics.json", "headline.json", "metrics_undefined.json", "scores.parquet",
                 "intervals.json", "by_defect_type.csv", "roc.csv", "pr.csv", "histogram.csv",
                 "report.html", "test_set.json"),
    "register": ("receipt.json",),
}
AFTER_SAMPLES = ("dagm_synthesize", "pom_filter", "ddm_train", "evaluate", "register")
PROBE = "data/dvc.yaml:store_probe"


@pytest.fixture
def project(plant: Plant) -> Path:
    return plant.project


def outputs(project: Path) -> dict[str, bytes]:
    """Every stage output of LINE, byte for byte."""
    folder = project / "data" / LINE
    return {f"{stage}/{name}": content for stage in STAGES
            for name, content in contents(folder / stage).items()}


def versions(project: Path) -> list[tuple[int, str]]:
    """(version, aliases) of LINE's model in the registry."""
    with sqlite3.connect(project / "mlflow.db") as database:
        rows = database.execute(
            "select v.version, coalesce(group_concat(a.alias), '') from model_versions v left join "
            "registered_model_aliases a on a.name = v.name and a.version = v.version "
            "where v.name = ? group by v.version order by v.version", (f"hdm-{LINE}",)).fetchall()
    database.close()
    return rows


def test_first_repro_makes_every_output(plant: Plant) -> None:
    assert stages_run(plant.first) == [
        *(f"{stage}@{LINE}" for stage in ("configure", *STAGES[:-1])), PROBE, f"register@{LINE}"]
    for stage, names in OUTPUTS.items():
        for name in names:
            file = plant.project / "data" / LINE / stage / name
            assert file.is_file(), file
            assert file.stat().st_size, file
    metrics = json.loads((plant.project / "data" / LINE / "evaluate/metrics.json").read_text())
    assert {"image_auroc", "pixel_auroc", "image_ap", "pixel_ap", "aupro", "image_f1",
            "threshold"} <= metrics.keys()
    assert 0 <= metrics["image_auroc"] <= 1
    assert receipt(plant.project, LINE)["aliases"] == ["champion"]
    assert versions(plant.project) == [(1, "champion")]


def test_every_stage_has_a_run_with_its_artifacts(project: Path) -> None:
    with sqlite3.connect(project / "mlflow.db") as database:
        runs = dict(database.execute("select name, status from runs where experiment_id = (select "
                                     "experiment_id from experiments where name = ?)",
                                     (f"hdm/{LINE}",)).fetchall())
    database.close()
    assert set(STAGES) <= set(runs)
    assert set(runs.values()) == {"FINISHED"}
    logged = {path.name for path in (project / "mlruns").rglob("*") if path.is_file()}
    assert {"report.html", "manifest.parquet", "verdict.json", "funnel.json", "prior.safetensors",
            "dvc.lock", "decision.json", "MLmodel"} <= logged
    assert not [name for name in logged if name.endswith((".pkl", ".pickle", ".pt", ".ckpt"))]


def test_second_repro_reruns_nothing_but_the_store_probe(project: Path) -> None:
    before = outputs(project)
    done = call("dvc", "repro", f"register@{LINE}", f"ingest@{OTHER}", cwd=project)
    assert stages_run(done.stdout) == [PROBE]
    assert outputs(project) == before


def test_metrics_plots_and_dag_are_shown(project: Path) -> None:
    shown = json.loads(call("dvc", "metrics", "show", "--json", cwd=project).stdout)
    found = shown[""]["data"][f"data/{LINE}/evaluate/headline.json"]
    assert set(found["data"]) == {"image_auroc", "pixel_auroc", "aupro", "recall",
                                  "false_alarm_rate"}
    assert f"ddm_train@{LINE}" in call("dvc", "dag", cwd=project).stdout
    call("dvc", "plots", "show", f"data/{LINE}/evaluate/roc.csv", cwd=project)
    assert (project / "dvc_plots" / "index.html").is_file()
    assert call("git", "status", "--porcelain", cwd=project).stdout.split() == [
        "??", "data/dvc.lock", "??", "dvc.lock"]


def test_bad_mask_stops_the_line_and_costs_nothing(project: Path) -> None:
    before, registered = outputs(project), versions(project)
    bad = project.parent / "camera" / "ground_truth" / "scratch" / "000_mask.png"
    good = bad.read_bytes()
    Image.new("L", Image.open(bad).size, 0).save(bad)
    done = call("dvc", "repro", f"register@{LINE}", cwd=project, check=False)
    assert done.returncode != 0
    assert stages_run(done.stdout) == [f"ingest@{LINE}", f"validate@{LINE}"]
    said = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(said) == 1
    assert "scratch/000.png" in said[0]
    assert "Traceback" not in done.stdout + done.stderr
    after = outputs(project)
    assert {name: content for name, content in after.items() if not name.startswith("ingest/")} \
        == {name: content for name, content in before.items() if not name.startswith("ingest/")}
    assert versions(project) == registered
    assert (project / "data" / LINE / "rejected" / "validate" / "docs" / "index.html").is_file()
    bad.write_bytes(good)
    mended = call("dvc", "repro", f"register@{LINE}", cwd=project)
    assert f"validate@{LINE}" not in stages_run(mended.stdout)
    assert outputs(project) == before


@pytest.mark.usefixtures("prefect_server")
def test_samples_of_one_line_rerun_what_follows_by_the_flow(
        project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import retrain

    did: dict[str, str] = {}

    def run_stage(stage: str, *rest: Any) -> str:
        did[stage] = original(stage, *rest)
        return did[stage]

    original = retrain.run_stage
    monkeypatch.setattr(retrain, "run_stage", run_stage)

    override(project, LINE, dagm_synthesize={"samples": 30})
    monkeypatch.chdir(project)
    result = retrain.hdm_retrain(product_line=LINE)
    assert {stage for stage in STAGES if did[stage] == "ran"} == set(AFTER_SAMPLES)
    assert [did[stage] for stage in STAGES[:3]] == ["unchanged"] * 3
    assert result["decision"] in ("promoted", "held", "refused")
    assert len(versions(project)) == 2
    status = call("dvc", "status", f"ingest@{OTHER}", cwd=project).stdout
    assert f"configure@{OTHER}" not in status  # the other line's entry is as it was


def test_emptied_store_is_registered_in_again(project: Path) -> None:
    for path in (project / "mlflow.db", project / "mlruns"):
        path.rename(path.with_name(f"{path.name}.lost"))
    done = call("dvc", "repro", f"register@{LINE}", cwd=project)
    assert stages_run(done.stdout) == [PROBE, f"register@{LINE}"]
    assert versions(project) == [(1, "champion")]
    assert receipt(project, LINE)["version"] == "1"
    again = call("dvc", "repro", f"register@{LINE}", cwd=project)
    assert stages_run(again.stdout) == [PROBE]


def test_champion_judges_images_without_the_repository(project: Path, tmp_path: Path) -> None:
    picture = next((project.parent / "camera" / "test" / "scratch").glob("*.png"))
    code = textwrap.dedent(f"""
        import base64, sys
        import mlflow, pandas as pd
        assert not any("plant" in p for p in sys.path)
        model = mlflow.pyfunc.load_model("models:/hdm-{LINE}@champion")
        data = base64.b64encode(open({str(picture)!r}, "rb").read()).decode()
        found = model.predict(pd.DataFrame({{"image": [data, data]}}))
        import hdm
        print("CODE", hdm.__file__)
        print("FOUND", found.to_json(orient="records"))
        """)
    done = call("python", "-P", "-c", code, cwd=tmp_path, HDM_DEVICE="cpu",
                MLFLOW_TRACKING_URI=f"sqlite:///{project / 'mlflow.db'}",
                MLFLOW_ALLOW_PICKLE_DESERIALIZATION="false")
    assert str(ROOT / "hdm") not in done.stdout.split("CODE ")[1].splitlines()[0]
    first, second = json.loads(done.stdout.split("FOUND ")[1].splitlines()[0])
    assert first == second
    assert first["decision"] in ("good", "defect")
    assert 0 <= first["probability"] <= 1
    assert first["anomaly_map"]


def test_outputs_travel_through_a_folder_remote(project: Path, tmp_path: Path) -> None:
    call("dvc", "remote", "add", "-d", "-f", "shelf", str(tmp_path / "shelf"), cwd=project)
    commit(project, "Results")
    call("dvc", "push", f"evaluate@{LINE}", "--with-deps", cwd=project)
    clone = tmp_path / "clone"
    call("git", "clone", "-q", str(project), str(clone), cwd=tmp_path)
    assert not (clone / "data" / LINE).exists()
    call("dvc", "pull", f"evaluate@{LINE}", "--with-deps", cwd=clone)
    for stage in STAGES[:-1]:
        assert contents(clone / "data" / LINE / stage) == contents(project / "data" / LINE / stage)


def test_experiment_changes_one_setting(project: Path) -> None:
    """Workspace and branch stay; the experiment is kept beside them."""
    setting = f"pipelines.yaml:+lines.{LINE}.overrides.evaluate.aupro_limit=0.2"
    done = call("dvc", "exp", "run", "-n", "narrow", "-S", setting, f"evaluate@{LINE}",
                cwd=project)
    assert stages_run(done.stdout) == [f"configure@{LINE}", f"evaluate@{LINE}"]
    shown = call("dvc", "exp", "show", "--csv", cwd=project).stdout
    assert "narrow" in shown
    override(project, LINE)  # still a readable file
    assert read_yaml(project / "pipelines.yaml")["lines"][LINE]["overrides"]["evaluate"] \
        == {"aupro_limit": 0.2}
    shutil.rmtree(project / "dvc_plots", ignore_errors=True)


def test_new_image_is_picked_up(project: Path) -> None:
    camera = project.parent / "camera" / "train" / "good"
    shutil.copyfile(project.parent / "camera" / "train" / "good" / "000.png", camera / "new.png")
    image = Image.open(camera / "new.png")
    image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(camera / "new.png")
    before = (project / "data" / LINE / "ingest" / "manifest.parquet").read_bytes()
    done = call("dvc", "repro", f"ingest@{LINE}", cwd=project)
    assert stages_run(done.stdout) == [f"ingest@{LINE}"]
    assert (project / "data" / LINE / "ingest" / "manifest.parquet").read_bytes() != before


def test_line_is_named_where_a_typo_is(project: Path) -> None:
    content = read_yaml(project / "pipelines.yaml")
    content["lines"][OTHER]["overrides"] = {"sede": 1}
    write_yaml(project / "pipelines.yaml", content)
    done = call("dvc", "repro", f"configure@{OTHER}", cwd=project, check=False)
    assert done.returncode != 0
    assert f"lines.{OTHER}.overrides: unknown key 'sede'; did you mean 'seed'?" in done.stderr
