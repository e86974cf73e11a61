"""A folder that judges pictures by itself, as its own programs do it: what the gate asks."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from hdm.errors import HDMError


class FolderModel:
    """The predictions of `judge.py`, typed as a plant types it, in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def predict(self, images: Sequence[np.ndarray], batch_size: int = 16) -> list[Any]:
        """score, p_value, decision and anomaly_map of each. Raises HDMError if it ends badly."""
        with tempfile.TemporaryDirectory(prefix="hdm-export-") as scratch:
            files = [Path(scratch) / f"{number}.npy" for number in range(len(images))]
            for file, image in zip(files, images, strict=True):
                np.save(file, image)
            maps = Path(scratch) / "maps"
            said = run(self.folder, "judge.py", "--json", "--maps", str(maps), *map(str, files))
            rows = [json.loads(line) for line in said.splitlines()]
            return [SimpleNamespace(
                score=row["score"], p_value=row["p_value"], decision=row["decision"],
                anomaly_map=np.load(maps / file.name))
                for row, file in zip(rows, files, strict=True)]


def run(folder: Path, program: str, *arguments: str) -> str:
    """What a program of the folder prints. Raises HDMError if it ends badly."""
    done = subprocess.run([sys.executable, "-I", "-B", str(folder / program), *arguments],
                          capture_output=True, text=True, errors="replace")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise HDMError(f"the exported folder does not work: {program} says "
                       f"{last.removeprefix('error: ')} Nothing was written.")
    return done.stdout
