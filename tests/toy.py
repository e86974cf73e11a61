"""A project with real DVC and stages that only act: each line behaves as its name says."""

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

from hdm.config import STAGES

ROOT = Path(__file__).parents[1]
LINES = ("good", "held_back", "bad_data", "crashing", "locked", "stuck")

STAGE = '''
import json, os, sys, time
from pathlib import Path

stage, line = sys.argv[1:]
folder = Path("data") / line
print(f"{stage} of {line}", flush=True)
with (folder.parent / "calls.txt").open("a") as calls:
    calls.write(f"{stage}@{line}\\n")


def put(path, content):
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(json.dumps(content))


if (line, stage) == ("bad_data", "validate"):
    print("error: 3 of 40 images are blank, first a.png; replace them.", file=sys.stderr)
    sys.exit(4)
if (line, stage) == ("crashing", "ddm_train"):
    raise RuntimeError("the loss is gone")
if (line, stage) == ("locked", "register") and not (folder / "tried").exists():
    put("tried", 1)
    print("error: MLflow at http://x cannot be used: Connection refused.", file=sys.stderr)
    sys.exit(6)
if (line, stage) == ("stuck", "ingest"):
    put("pid", os.getpid())
    for _ in range(3000):
        if (folder / "go").exists():
            break
        time.sleep(0.1)
if stage == "evaluate":
    put("evaluate/metrics.json", {"image_auroc": 0.97, "pixel_auroc": None, "threshold": 0.5})
    put("evaluate/intervals.json", {"image_auroc": {"low": 0.95, "high": 0.99}})
    put("evaluate/metrics_undefined.json", {"pixel_auroc": "there are no masks"})
if stage == "pom_filter":
    put("pom_filter/funnel.json", {"candidates": 10, "reasons": {
        "kept": {"count": 7, "meaning": "worth training on"}}})
if stage == "register":
    held = line == "held_back"
    put("register/receipt.json", {"outcome": "hold" if held else "promote", "version": "3",
        "run_id": "abc123", "store": "7@1764", "reasons": [{"code": "champion_not_measured",
        "sentence": "The champion could not be scored."}] if held else []})
'''

MONITOR = '''
from prefect import flow
from prefect.events import emit_event


@flow(name="hdm-monitor")
def hdm_monitor(product_line: str):
    emit_event("hdm.drift.detected", {"prefect.resource.id": f"hdm.line.{product_line}"})
'''


def make_project(folder: Path) -> Path:
    """The project in `folder`, ready for `dvc repro`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data").mkdir()
    (folder / "stage.py").write_text(STAGE)
    (folder / "params.yaml").write_text("{}\n")
    lines = "".join(f"  {name}:\n    source: {{path: raw/{name}}}\n" for name in LINES)
    (folder / "pipelines.yaml").write_text(f"sample_lines: [good]\nlines:\n{lines}")
    stages = ["samples", "configure", *STAGES]
    (folder / "dvc.yaml").write_text("vars: [pipelines.yaml]\nstages:\n" + "".join(
        textwrap.indent(_stage(name), "  ") for name in stages))
    subprocess.run([Path(sys.executable).parent / "dvc", "init", "-q", "--no-scm"], cwd=folder,
                   check=True)
    # As in the project: no process that looks for a newer DVC while a test waits.
    (folder / ".dvc" / "config").write_text(
        "[core]\n    no_scm = true\n    analytics = false\n    check_update = false\n")
    return folder


def make_deployable(project: Path) -> Path:
    """Give the project the flows that a worker starts; looking for drift only says so here."""
    shutil.copytree(ROOT / "flows", project / "flows",
                    ignore=shutil.ignore_patterns("__pycache__"))
    (project / "flows" / "monitor.py").write_text(MONITOR)
    return project


def calls(project: Path) -> list[str]:
    """Every stage that really ran, in order, as stage@line."""
    file = project / "data" / "calls.txt"
    return file.read_text().split() if file.is_file() else []


def _stage(name: str) -> str:
    # dagm_fit has inputs and no other, so that DVC can find it unchanged.
    inputs = "    deps: [stage.py]\n" if name == "dagm_fit" else ""
    outputs = "    always_changed: true\n" if name != "dagm_fit" else ""
    return (f"{name}:\n  foreach: ${{lines}}\n  do:\n"
            f"    cmd: python stage.py {name} ${{key}}\n{inputs}{outputs}")
