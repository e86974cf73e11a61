"""What git says of a project."""

import subprocess

from hdm import checkout


def git(folder, *words):
    return subprocess.run(["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b",
                           *words], check=True, capture_output=True, text=True).stdout.strip()


def test_nothing_outside_a_repository(tmp_path):
    assert checkout.commit(tmp_path) == "" and checkout.changed(tmp_path) is None


def test_nothing_without_git(tmp_path, monkeypatch):
    git(tmp_path, "init")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert checkout.commit(tmp_path) == "" and checkout.changed(tmp_path) is None


def test_commit_and_changes_of_a_repository(tmp_path):
    git(tmp_path, "init")
    (tmp_path / "a.txt").write_text("one")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    assert checkout.commit(tmp_path) == git(tmp_path, "rev-parse", "HEAD")
    assert checkout.changed(tmp_path) is False
    (tmp_path / "new.txt").write_text("not tracked")
    assert checkout.changed(tmp_path) is True and checkout.changed(tmp_path, "-uno") is False
    (tmp_path / "a.txt").write_text("two")
    assert checkout.changed(tmp_path, "-uno") is True
    assert checkout.changed(tmp_path, "-uno", "--", "b") is False


def test_files_that_git_leaves_alone(tmp_path):
    assert checkout.ignored(tmp_path, tmp_path / "a.dvc") is False
    git(tmp_path, "init")
    (tmp_path / ".gitignore").write_text("/cameras/\n")
    assert checkout.ignored(tmp_path, tmp_path / "a.dvc") is False
    assert checkout.ignored(tmp_path, tmp_path / "cameras" / "a.dvc") is True
