"""`hdm plots`: pages of DVC that load nothing."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hdm.errors import HDMError
from hdm.orchestration.child_process import environment
from hdm.orchestration.offline_plots import write_template


def test_pages_of_dvc_have_their_scripts_inside(project: Path) -> None:
    pytest.importorskip("vl_convert")
    write_template(project)
    (project / "roc.csv").write_text("x,y\n0,0\n0.5,0.9\n1,1\n")
    done = subprocess.run(
        [Path(sys.executable).parent / "dvc", "plots", "show", "roc.csv", "-o", "shown"],
        cwd=project, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    page = (project / "shown" / "index.html").read_text(encoding="utf-8")
    assert "vegaEmbed('#roc_csv'" in page and "window.vegaEmbed=" in page
    assert not re.search(r"<script[^>]+src=|<link", page)


def test_without_the_package_the_sentence_says_how_to_get_it(
        project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(HDMError, match=r"pip install 'hdm\[plots\]'"):
        write_template(project)
    assert not (project / ".dvc" / "offline_plots.html").exists()


def test_without_dvc_the_sentence_says_so(tmp_path: Path) -> None:
    with pytest.raises(HDMError, match=r"found no \.dvc"):
        write_template(tmp_path)
