"""What git says of a project."""

import subprocess

from hdm import git


def run_git(folder, *words):
    return subprocess.run(["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b",
                           *words], check=True, capture_output=True, text=True).stdout.strip()


def test_nothing_outside_a_repository(tmp_path):
    assert git.commit(tmp_path) == "" and git.changed(tmp_path) is None


def test_nothing_without_git(tmp_path, monkeypatch):
    run_git(tmp_path, "init")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git.commit(tmp_path) == "" and git.changed(tmp_path) is None


def test_commit_and_changes_of_a_repository(tmp_path):
    run_git(tmp_path, "init")
    (tmp_path / "a.txt").write_text("one")
    run_git(tmp_path, "add", ".")
    run_git(tmp_path, "commit", "-m", "first")
    assert git.commit(tmp_path) == run_git(tmp_path, "rev-parse", "HEAD")
    assert git.changed(tmp_path) is False
    (tmp_path / "new.txt").write_text("not tracked")
    assert git.changed(tmp_path) is True and git.changed(tmp_path, "-uno") is False
    (tmp_path / "a.txt").write_text("two")
    assert git.changed(tmp_path, "-uno") is True
    assert git.changed(tmp_path, "-uno", "--", "b") is False


def test_files_that_git_leaves_alone(tmp_path):
    assert git.ignored(tmp_path, tmp_path / "a.dvc") is False
    run_git(tmp_path, "init")
    (tmp_path / ".gitignore").write_text("/cameras/\n")
    assert git.ignored(tmp_path, tmp_path / "a.dvc") is False
    assert git.ignored(tmp_path, tmp_path / "cameras" / "a.dvc") is True
