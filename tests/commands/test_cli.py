"""The table of commands is true to the commands, and asking for one imports no other."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from hdm.cli import COMMANDS, load

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says(name: str) -> None:
    command = load(name)
    assert command.name == name
    first = inspect.cleandoc(command.help).split("\n\n")[0]
    assert " ".join(first.split()) == COMMANDS[name].help


@pytest.mark.parametrize(("arguments", "heavy"), [
    (["--help"], {"pydantic", "numpy"}),
    (["history", "plates"], {"torch", "mlflow", "pandas", "sklearn"}),
    (["results"], {"torch", "mlflow", "pandas", "sklearn", "prefect"}),
    (["lines", "list"], {"torch", "mlflow", "pandas", "sklearn", "prefect"}),
    (["predict", "--help"], {"torch", "mlflow", "pandas", "sklearn"}),
])
def test_light_commands_import_nothing_heavy(arguments: list[str], heavy: set[str],
                                             project: Path) -> None:
    code = (f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom hdm.cli import main\n"
            f"try:\n    main({arguments!r})\nexcept SystemExit: pass\n"
            f"print('HEAVY', sorted({heavy!r} & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", code], cwd=project, text=True,
                          capture_output=True, check=True)
    assert done.stdout.splitlines()[-1] == "HEAVY []"
