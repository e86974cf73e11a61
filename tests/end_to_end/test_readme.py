"""What README.md says can be typed is there, and the quick part of it is run."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from plant import ROOT, call
from test_pipeline import OUTPUTS

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line.strip()]
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a stranger has: the files of the project without data, and no git."""
    folder = tmp_path_factory.mktemp("clone") / "hdm"
    folder.mkdir()
    for room in ("hdm", "flows", ".dvc", "data", "test_sets", "feedback", "regions"):
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns(
            "__pycache__", "tmp", "cache", "brushed_plate", "woven_mesh", "cast_bracket"))
    for file in ("dvc.yaml", "params.yaml", "pipelines.yaml", "prefect.yaml", ".dvcignore"):
        shutil.copyfile(ROOT / file, folder / file)
    call("dvc", "config", "--local", "core.no_scm", "true", cwd=folder)
    return folder


def hdm_commands() -> list[list[str]]:
    """Every `hdm ...` of the page, in blocks and in running text."""
    inline = re.findall(r"`(hdm [a-z][^`]*)`", README)
    return [shlex.split(text)[1:] for text in (*COMMANDS, *inline) if text.startswith("hdm ")]


def options_of(words: tuple[str, ...], folder: Path) -> str:
    return call("python", "-m", "hdm", *words, "--help", cwd=folder).stdout


def test_every_hdm_command_and_flag_exists(clone: Path) -> None:
    known: dict[tuple[str, ...], str] = {}
    found = hdm_commands()
    assert len(found) > 8
    for words in found:
        group = ("lines", "config", "deployments", "testset")
        command = tuple(words[:2 if words[0] in group and len(words) > 1 else 1])
        command = () if command[0].startswith("-") else command
        if command not in known:
            known[command] = options_of(command, clone)
        for flag in (word for word in words if word.startswith("--")):
            assert flag in known[command], f"hdm {' '.join(words)}"


def test_stages_that_are_named_exist() -> None:
    from hdm.config import STAGES, load_pipelines

    lines = {*load_pipelines(ROOT).lines, "my_line"}
    for stage, line in re.findall(r"\b([a-z_]+)@([a-z_]+)\b(?!\.[a-z])", README):
        if line != "champion":
            assert stage in (*STAGES, "samples", "configure", "store_probe"), stage
            assert line in lines, line
    named = re.findall(r"hdm-retrain/([a-z_]+)", README)
    assert named
    assert set(named) <= lines | {"all"}


def test_files_and_links_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target
    for name in ("params.yaml", "pipelines.yaml", "prefect.yaml", "data/README.md"):
        assert name in README
        assert (ROOT / name).is_file()
    targets = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make ([a-z]+)", "\n".join(COMMANDS), re.MULTILINE):
        assert f"\n{target}:" in targets
    for module in re.findall(r"python -m (flows\.\w+)", README):
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file()


def test_outputs_in_the_table_are_made() -> None:
    """The same names are looked for after a real `dvc repro` in test_pipeline.py."""
    rows = re.findall(r"^\| `(\w+)` \| .*? \| (`.*`) \|$", README, re.MULTILINE)
    stages = {stage: re.findall(r"`([^`]+)`", cells) for stage, cells in rows if stage in OUTPUTS}
    assert list(stages) == list(OUTPUTS)
    for stage, names in stages.items():
        for name in names:
            assert name.removeprefix(f"{stage}/") in OUTPUTS[stage], name


def test_settings_that_are_named_exist() -> None:
    from hdm.settings import Params

    schema = Params.model_json_schema(by_alias=True)
    text = str(schema)
    for key in ("samples", "backbone", "false_alarm_rate", "strictness", "device", "precision",
                "threads"):
        assert key in README
        assert f"'{key}'" in text
    for path in re.findall(r"params\.yaml:([a-z_.]+)=", README):
        section, key = path.split(".")
        assert key in schema["$defs"][{"pom_filter": "PomFilter"}[section]]["properties"]


def test_sentences_are_those_of_the_code() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "hdm").rglob("*.py"))
    code = re.sub(r'"\s*\n\s*f?"', "", code)
    rows = re.findall(r"^\| \d \| (.*?) \|", README, re.MULTILINE)
    assert len(rows) == 11
    for row in rows:
        for part in re.findall(r"`([^`]+)`", row):
            assert part in code or part == "No space left on device", part


def test_python_examples_are_valid() -> None:
    import hdm

    assert len(PYTHON) == 2
    for source in PYTHON:
        compile(source, "README.md", "exec")
    for name in ("load", "predict", "save"):
        assert hasattr(hdm.HDM, name)
    fields = {"decision", "score", "p_value", "probability", "anomaly_map"}
    assert fields <= set(hdm.Prediction.__dataclass_fields__)


@pytest.mark.parametrize("command", [
    "hdm --help", "hdm lines list", "hdm config show brushed_plate",
    "hdm config schema params.yaml", "hdm config check", "dvc dag", "dvc metrics show",
    "dvc remote add -d shelf ../shelf"])
def test_quick_commands_run(clone: Path, command: str) -> None:
    assert command in COMMANDS
    words = shlex.split(command)
    words = ["python", "-m", *words] if words[0] == "hdm" else words
    done = call(*words, cwd=clone, check=False)
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    # There are no metrics before the first run, which DVC calls an error.
    assert done.returncode == 0 or command == "dvc metrics show", said


def test_a_line_is_added_as_the_page_says(clone: Path) -> None:
    from PIL import Image

    good = clone.parent / "my_line" / "good"
    good.mkdir(parents=True)
    for number in range(3):
        Image.effect_noise((40, 40), 30 + number).save(good / f"{number}.png")
    command = next(line for line in COMMANDS if line.startswith("hdm lines add"))
    done = call("python", "-m", *shlex.split(command), cwd=clone)
    assert "my_line added" in done.stdout
    assert "my_line" in call("python", "-m", "hdm", "lines", "list", cwd=clone).stdout
    assert "hdm-retrain" not in done.stderr
    assert "name: my_line" in (clone / "prefect.yaml").read_text()
    assert "register@my_line" in call("dvc", "dag", cwd=clone).stdout


def test_sample_lines_are_drawn_small(clone: Path) -> None:
    """`make demo` draws all of them; here a twentieth of one is enough."""
    from hdm.samples import draw_line

    draw_line("woven_mesh", clone.parent / "mesh", scale=0.05)
    found = call("python", "-m", "hdm", "lines", "add", "--name", "small_mesh", "--source",
                 str(clone.parent / "mesh"), cwd=clone).stdout
    assert "layout mvtec" in found


def test_makefile_knows_its_targets() -> None:
    done = subprocess.run(["make", "-C", str(ROOT), "-n", "help"], capture_output=True, text=True)
    assert done.returncode == 0
    for target in ("demo", "test"):
        assert f"make {target}" in done.stdout
