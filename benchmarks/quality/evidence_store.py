"""Evidence maps of each run, so that levels and ways to join are studied without training again."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from benchmarks.quality.results import RESULTS
from hdm.dataset.manifest import Manifest
from hdm.files import atomic_file

FOLDER = RESULTS / "evidence"


def save_evidence(test: Manifest, found: list[Tensor], held: list[Tensor],
                  canvas: tuple[int, int], seed: int, preset: str) -> Path:
    """Write the maps (K, h, w) of test and of held-out good images, and the canvas."""
    file = FOLDER / f"{preset}-{Path(test.root).name}-{seed}.safetensors"
    content = {f"test.{n:05}": maps.half().contiguous() for n, maps in enumerate(found)}
    content |= {f"held.{n:05}": maps.half().contiguous() for n, maps in enumerate(held)}
    content["canvas"] = torch.tensor(canvas)
    content["label"] = torch.tensor([int(row.label) for row in test])
    with atomic_file(file) as temporary:
        temporary.write_bytes(save(content))
    return file


def load_evidence(file: Path) -> tuple[list[Tensor], list[Tensor], Tensor, tuple[int, int]]:
    """Maps of test and of held-out images, labels (N,) and the canvas."""
    content = load_file(file)
    test, held = ([content[name].float() for name in sorted(content) if name.startswith(part)]
                  for part in ("test.", "held."))
    height, width = content["canvas"].tolist()
    return test, held, content["label"], (height, width)
