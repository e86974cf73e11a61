"""What git says of the project's checkout; nothing where there is no git or no repository."""

import subprocess
from pathlib import Path

PATIENCE = 20
"""Seconds."""


def commit(project: Path) -> str:
    """The commit that is checked out; empty outside a repository."""
    return _git(project, "rev-parse", "HEAD") or ""


def changed(project: Path, *arguments: str) -> bool | None:
    """Whether files differ from the commit, `arguments` being further ones of `git status`; None
    outside a repository."""
    said = _git(project, "status", "--porcelain", *arguments)
    return None if said is None else bool(said)


def ignored(project: Path, file: Path) -> bool:
    """Whether git is told to leave `file` alone; False outside a repository."""
    return _git(project, "check-ignore", str(file)) is not None


def _git(project: Path, *words: str) -> str | None:
    try:
        return subprocess.run(["git", "-C", str(project), *words], check=True, timeout=PATIENCE,
                              capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
