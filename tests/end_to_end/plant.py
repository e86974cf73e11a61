"""A shrunken copy of the project: the real code and dvc.yaml, little data and few steps."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
LINE, OTHER = "plate", "mesh"
"""LINE's images lie outside the project, OTHER's inside."""

TINY: dict[str, Any] = {
    "compute": {"device": "cpu", "threads": 1},
    "image": {"size": 64},
    "validate": {"strictness": "lenient", "minimum_train": 4, "minimum_calibration": 2,
                 "minimum_test": 2},
    "dagm_fit": {"dimensions": 8, "views": 1, "network": {"width": 16, "blocks": 1},
                 "training": {"steps": 6, "batch": 64}},
    "dagm_synthesize": {"samples": 24},
    "ddm_train": {"network": {"widths": [8, 16]}, "training": {"steps": 6, "batch": 4}},
    "evaluate": {"bootstrap": 5, "sheet_images": 4},
    # A network of six steps cannot find defects; the gate has tests of its own.
    "register": {"minimum_image_auroc": 0.0, "minimum_pixel_auroc": 0.0,
                 "minimum_recall": 0.0, "maximum_false_alarms": 1.0},
}


class Plant(NamedTuple):
    """A project, what its first `dvc repro` printed, and a copy of it as it was then."""

    project: Path
    first: str
    snapshot: Path


def make_plant(folder: Path, *lines: str, git: bool = True) -> Path:
    """A project in `folder` / plant with `lines`, and the source of LINE beside it."""
    from hdm.samples import draw_line

    project = folder / "plant"
    project.mkdir(parents=True)
    for room in ("hdm", "flows"):
        shutil.copytree(ROOT / room, project / room,
                        ignore=shutil.ignore_patterns("__pycache__"))
    (project / "data").mkdir()
    for file in ("dvc.yaml", "data/dvc.yaml", ".gitignore", ".dvcignore"):
        shutil.copyfile(ROOT / file, project / file)
    for room in ("test_sets", "feedback", "regions"):
        shutil.copytree(ROOT / room, project / room)
    draw_line("brushed_plate", folder / "camera", scale=0.13)
    sources = {LINE: folder / "camera", OTHER: project / "camera" / OTHER}
    if OTHER in lines:
        draw_line("woven_mesh", sources[OTHER], scale=0.13)
        with (project / ".gitignore").open("a") as stream:
            stream.write("/camera/\n")
    write_yaml(project / "params.yaml", TINY)
    write_yaml(project / "pipelines.yaml", {"sample_lines": [], "lines": {
        name: {"description": f"Test line {name}", "owner": "quality@example.com",
               "source": {"path": "../camera" if name == LINE else f"camera/{name}",
                          "format": "mvtec"}, "overrides": {"seed": 3}}
        for name in lines}})
    if git:
        call("git", "init", "-q", cwd=project)
    call("dvc", "init", "-q", *([] if git else ["--no-scm"]), cwd=project)
    if git:
        commit(project, "A small plant")
    return project


def commit(project: Path, message: str) -> None:
    """Everything that git does not ignore."""
    call("git", "add", "-A", cwd=project)
    call("git", "-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "-qm",
         message, cwd=project)


def environment(**extra: str) -> dict[str, str]:
    """Ours, with this interpreter's programs first and without settings of the user's shell."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(
        ("MLFLOW_", "HDM_", "DVC_", "GIT_", "COV_CORE"))}
    return {**kept, "PATH": os.pathsep.join([str(PROGRAMS), os.environ["PATH"]]),
            "OMP_NUM_THREADS": "1", "DVC_NO_ANALYTICS": "1", "COLUMNS": "120",
            "PYTHONDONTWRITEBYTECODE": "", **extra}


def call(*words: str, cwd: Path, check: bool = True, timeout: float = 560, **extra: str
         ) -> subprocess.CompletedProcess[str]:
    """Run a program as a user would type it."""
    done = subprocess.run(list(words), cwd=cwd, env=environment(**extra), text=True,
                          capture_output=True, timeout=timeout, errors="replace")
    if check and done.returncode:
        raise AssertionError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}\n"
                             f"{done.stderr}")
    return done


def hdm(project: Path, *words: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """`python -m hdm ...` with the project's own copy of the code; never raises."""
    return call("python", "-m", "hdm", *words, cwd=project, check=False, **extra)


def stages_run(output: str) -> list[str]:
    """What DVC really ran, as stage@line, in order."""
    return [line.split("'")[1] for line in output.splitlines()
            if line.startswith("Running stage '")]


def read_yaml(file: Path) -> Any:
    """The content of a YAML file, comments kept."""
    return YAML().load(file.read_text(encoding="utf-8"))


def write_yaml(file: Path, content: Any) -> None:
    """Write a YAML file."""
    with file.open("w", encoding="utf-8") as stream:
        YAML().dump(content, stream)


def override(project: Path, line: str, **values: Any) -> None:
    """Set overrides of one line in pipelines.yaml."""
    content = read_yaml(project / "pipelines.yaml")
    content["lines"][line]["overrides"].update(values)
    write_yaml(project / "pipelines.yaml", content)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`, hidden ones too."""
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def receipt(project: Path, line: str) -> dict[str, Any]:
    """What `register` decided last."""
    file = project / "data" / line / "register" / "receipt.json"
    return json.loads(file.read_text(encoding="utf-8"))


def one_sentence(said: str) -> str:
    assert "Traceback" not in said, said
    found = [line for line in said.splitlines() if line.startswith("error: ")]
    assert len(found) == 1, said
    return found[0]
