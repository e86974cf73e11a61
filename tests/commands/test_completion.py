"""What a shell is told while a command is being typed."""

import pytest

from hdm.cli import app
from hdm.commands import completion
from hdm.errors import RegistryError
from hdm.registry.history import VersionRecord


@pytest.fixture
def typed(capsys, monkeypatch):
    """`typed("hdm predict ", 2)`: what the word of this number is completed to."""
    def words(text: str, number: int) -> list[str]:
        monkeypatch.setenv("_HDM_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", text)
        monkeypatch.setenv("COMP_CWORD", str(number))
        with pytest.raises(SystemExit):
            app([], prog_name="hdm")
        return capsys.readouterr().out.split()
    return words


def record(version: int, decision: str, *aliases: str) -> VersionRecord:
    return VersionRecord(version, decision, (), aliases, 0, "", {})


def test_commands_lines_and_options(typed, project) -> None:
    assert typed("hdm pr", 1) == ["predict", "promote", "prune"]
    assert typed("hdm predict ", 2) == ["plates", "meshes"]
    assert typed("hdm results me", 2) == ["meshes"]
    assert "--overlays" in typed("hdm predict plates --o", 3)


@pytest.mark.parametrize("command", [
    "hdm promote plates ", "hdm rollback plates --to ", "hdm predict plates --version "])
def test_versions_of_the_line_that_was_typed(typed, project, monkeypatch, command) -> None:
    asked = []

    def registered(line):
        asked.append(line)
        return [record(12, "hold", "challenger"), record(2, "promote"), record(1, "promote")]

    monkeypatch.setattr(completion, "_registered", registered)
    number = len(command.split())
    assert typed(command, number) == ["12", "2", "1"]
    assert typed(command + "1", number) == ["12", "1"]
    assert asked == ["plates", "plates"]


def test_without_a_project_or_a_registry_there_is_nothing_to_say(
        typed, project, tmp_path, monkeypatch) -> None:
    def away(_):
        raise RegistryError("the store is away.")

    assert typed("hdm promote bolts ", 3) == []
    monkeypatch.setattr(completion, "_registered", away)
    assert typed("hdm promote plates ", 3) == []
    (project / "pipelines.yaml").write_text("lines: [")
    assert completion.lines_so_far("") == []
