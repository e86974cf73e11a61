"""docs/production/Dockerfile: its steps are run in a clean folder, without Docker.

What only a container has (the base image, Debian's packages) is looked at, not run.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from services import ROOT
from test_production import OURS, SERVICES

FILE = ROOT / "docs" / "production" / "Dockerfile"


class Step(NamedTuple):
    """One instruction and what follows it, its continuation lines joined."""

    kind: str
    text: str


def steps() -> list[Step]:
    joined = FILE.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in joined.splitlines() if line.strip()]
    return [Step(*re.split(r"\s+", line, maxsplit=1)) for line in lines if line[0] != "#"]


def copies() -> list[tuple[list[str], str]]:
    """Sources and target of every COPY."""
    return [(words[:-1], words[-1]) for words in (
        shlex.split(step.text) for step in steps() if step.kind == "COPY")]


def variables() -> dict[str, str]:
    return dict(word.split("=", 1) for step in steps() if step.kind == "ENV"
                for word in shlex.split(step.text))


def is_debian(step: Step) -> bool:
    return step.kind == "RUN" and step.text.startswith("apt-get ")


def test_it_has_no_step_that_is_not_run_or_looked_at() -> None:
    assert steps()[0].kind == "FROM"
    assert {step.kind for step in steps()} <= {"FROM", "RUN", "WORKDIR", "COPY", "ENV"}
    assert len([step for step in steps() if step.kind == "RUN" and not is_debian(step)]) >= 2


def test_what_it_copies_is_part_of_the_project_and_nothing_else_is_needed() -> None:
    build = SERVICES["worker"]["build"]
    context = (FILE.parent / build["context"]).resolve()
    assert context == ROOT and (context / build["dockerfile"]).resolve() == FILE
    for sources, _ in copies():
        for source in sources:
            assert (ROOT / source).exists(), source
    copied = {source for sources, _ in copies() for source in sources}
    for step in steps():
        if step.kind == "RUN":
            named = re.findall(r"-[rc]\s+(\S+)", step.text)
            assert set(named) <= {Path(source).name for source in copied}, step.text


def test_its_python_is_one_that_the_project_takes() -> None:
    major, minor = re.findall(r"^python:(\d+)\.(\d+)", steps()[0].text)[0]
    [wanted] = re.findall(r'requires-python = ">=(\d+)\.(\d+)"',
                          (ROOT / "pyproject.toml").read_text())
    assert (int(major), int(minor)) >= tuple(map(int, wanted))


@pytest.mark.skipif(not shutil.which("apt-cache")
                    or not any(Path("/var/lib/apt/lists").glob("*_Packages*")),
                    reason="this is no Debian, or it has no list of packages (apt-get update)")
def test_the_debian_packages_exist() -> None:
    step = next(step for step in steps() if is_debian(step))
    install = next(part for part in step.text.split("&&") if " install " in part)
    names = [word for word in shlex.split(install)[2:] if word[0] != "-"]
    assert names
    for name in names:
        known = subprocess.run(["apt-cache", "show", name], capture_output=True, text=True)
        installed = subprocess.run(["dpkg", "-s", name], capture_output=True, text=True)
        assert 0 in (known.returncode, installed.returncode), name


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_its_steps_make_an_environment_that_every_command_of_the_plant_starts_in(
        tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    folder, programs = tmp_path / "image", tmp_path / "venv" / "bin"
    folder.mkdir()
    environment = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path),
                   "COLUMNS": "200", **{key: value for key, value in os.environ.items()
                                        if key.startswith(("PIP_", "SSL_", "HTTP", "http"))}}

    def run(command: list[str]) -> str:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
        return done.stdout

    for step in steps():
        if step.kind == "COPY":
            *sources, target = shlex.split(step.text)
            for source in sources:
                into = folder / (target if target != "./" else Path(source).name)
                (shutil.copytree if (ROOT / source).is_dir() else shutil.copyfile)(
                    ROOT / source, into)
        elif step.kind == "RUN" and not is_debian(step):
            run(["sh", "-ec", step.text])
    shutil.rmtree(folder / "hdm")  # what is installed must do, as in the container
    shutil.rmtree(folder / "flows")
    environment |= {key: value.replace("/tmp", str(tmp_path)) for key, value in variables().items()}
    run([str(programs / "python"), "-c", "import psycopg2, boto3, dvc_s3, flows.retrain, hdm.cli"])
    for name in sorted(OURS):
        words = shlex.split(re.sub(r"\$\{(\w+):\?\}", r"\1", SERVICES[name]["command"]))
        end = next((n for n, word in enumerate(words) if word.startswith("-")), len(words))
        said = run([*words[:end], "--help"])
        for flag in (word for word in words if word.startswith("--")):
            assert flag in said, f"{words} {flag}"
