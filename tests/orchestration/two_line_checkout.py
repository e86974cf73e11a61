"""A small DVC project of two lines, whose stages copy a text."""

import subprocess
import sys
from pathlib import Path

DVC_YAML = """\
stages:
  ingest:
    foreach: [plate, mesh]
    do:
      cmd: python stage.py ${item} out
      deps: [stage.py, input.txt]
      outs: [{"data/${item}/out": {persist: true}}]
  register:
    foreach: [plate, mesh]
    do:
      cmd: python stage.py ${item} receipt
      deps: [stage.py, "data/${item}/out", "data/.stores/${item}.json"]
      outs: [{"data/${item}/receipt": {persist: true, cache: false}}]
"""
OF_ALL_LINES = """\
stages:
  store_probe:
    cmd: python probe.py
    wdir: ..
    always_changed: true
    outs: [{data/.stores: {persist: true, cache: false}}]
"""
STAGE = """\
import sys
from pathlib import Path
line, name = sys.argv[1:]
Path("data", line).mkdir(parents=True, exist_ok=True)
Path("data", line, name).write_text(Path("input.txt").read_text() + line)
"""
PROBE = """\
from pathlib import Path
Path("probed").touch()
"""


def checkout(folder: Path, remote: Path) -> Path:
    folder.mkdir()
    (folder / "dvc.yaml").write_text(DVC_YAML)
    (folder / "stage.py").write_text(STAGE)
    (folder / "probe.py").write_text(PROBE)
    (folder / "data" / ".stores").mkdir(parents=True)
    (folder / "data" / "dvc.yaml").write_text(OF_ALL_LINES)
    for line in ("plate", "mesh"):
        (folder / "data" / ".stores" / f"{line}.json").write_text("{}")
    (folder / "input.txt").write_text("1")
    for words in (["init", "-q", "--no-scm"], ["remote", "add", "-q", "-d", "shelf", str(remote)]):
        subprocess.run([sys.executable, "-m", "dvc", *words], cwd=folder, check=True)
    return folder
