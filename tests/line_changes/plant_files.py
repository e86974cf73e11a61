"""What the tests of this room look at: what DVC ran, and what bears a name."""

import subprocess
import sys
from pathlib import Path

from hdm.orchestration import child_process


def dvc(*arguments: str, cwd: Path) -> str:
    """DVC, as a user runs it."""
    done = subprocess.run([Path(sys.executable).parent / "dvc", *arguments], cwd=cwd, text=True,
                          env=child_process.environment(), capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def calls(project: Path) -> list[str]:
    """What ran, stage@line."""
    return (project / "calls.txt").read_text().split()


def named(project: Path, name: str) -> list[str]:
    """Paths and entries that bear a line's name, but for locks and copies in .hdm."""
    paths = [path.relative_to(project).as_posix() for path in project.rglob("*")
             if ".dvc" not in path.parts and ".hdm" not in path.parts]
    found = [path for path in paths if f"/{name}" in path and ".removed" not in path]
    for file in ("pipelines.yaml", "dvc.lock", "prefect.yaml"):
        found += [f"{file}: {row}" for row in (project / file).read_text().splitlines()
                  if name in row]
    return sorted(found)
