"""notebooks/first_line.ipynb on a small trained plant, from top to bottom."""

import shutil
from pathlib import Path

import pytest
from plant import LINE, ROOT, Plant, call, environment, hdm

nbformat = pytest.importorskip("nbformat")
NOTEBOOK = ROOT / "notebooks" / "first_line.ipynb"


@pytest.fixture
def project(plant: Plant, tmp_path: Path) -> Path:
    """A copy of the plant whose line has two versions, and the notebook in it."""
    there = tmp_path / "plant"
    shutil.copytree(plant.snapshot, there, symlinks=True)
    shutil.copytree(plant.snapshot.parent / "camera", tmp_path / "camera")
    shutil.copytree(NOTEBOOK.parent, there / "notebooks")
    assert hdm(there, "registry", "relocate").returncode == 0
    done = hdm(there, "stage", "register", LINE)
    assert "version 2" in done.stdout, done.stderr
    return there


@pytest.mark.slow
def test_it_runs_from_top_to_bottom_and_shows_what_it_says(project: Path) -> None:
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(project / "notebooks" / NOTEBOOK.name, as_version=4)
    before = call("git", "status", "--porcelain", "-uno", cwd=project).stdout
    nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3",
        resources={"metadata": {"path": str(project / "notebooks")}},
    ).execute(env=environment(HDM_LINE=LINE))
    shown = [output for cell in notebook.cells if cell.cell_type == "code"
             for output in cell.outputs]
    assert not [output for output in shown if output.output_type == "error"]
    texts = [output.data.get("text/markdown", "") + output.data.get("text/html", "")
             for output in shown if "data" in output]
    assert "product line `plate`" in texts[0]
    assert any("prediction_other" in text for text in texts)  # two versions were compared
    assert sum("image/png" in output.data for output in shown if "data" in output) == 4
    assert call("git", "status", "--porcelain", "-uno", cwd=project).stdout == before


def test_it_is_kept_without_what_it_showed() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None
            compile(cell.source, NOTEBOOK.name, "exec")
