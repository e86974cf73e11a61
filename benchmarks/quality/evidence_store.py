"""Evidence maps of each run, so that levels and ways to join are studied without training again."""

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from benchmarks.quality.results import RESULTS
from hdm.files import atomic_file

FOLDER = RESULTS / "evidence"


def save_evidence(run: str, labels: Sequence[bool], found: list[Tensor], held: list[Tensor],
                  canvas: tuple[int, int]) -> Path:
    """Write the maps (K, h, w) of test images and their labels, those of held-out good images, and
    the canvas; run: preset-set-seed."""
    file = FOLDER / f"{run}.safetensors"
    content = {f"test.{n:05}": maps.half().contiguous() for n, maps in enumerate(found)}
    content |= {f"held.{n:05}": maps.half().contiguous() for n, maps in enumerate(held)}
    content["canvas"] = torch.tensor(canvas)
    content["label"] = torch.tensor([int(label) for label in labels])
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
