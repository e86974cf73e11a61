"""How evidence is joined, chosen on other sets than the one that it is measured on.

    python -m benchmarks.quality.leave_one_out --preset fast

Reads the evidence maps that runs of `hdm` left in results/evidence. For each set: image AUROC of
HDM's own settings, of those that are best on all sets, and of those that are best on all others.
Only settings that need no training are compared: which levels of the diffusion are read, how much
the discriminators weigh, and what share of a whole image's pixels makes its score.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import torch
from sklearn.metrics import roc_auc_score

from benchmarks.quality.evidence_store import FOLDER, load_evidence
from benchmarks.quality.methods.hdm_method import LEVELS
from benchmarks.quality.rendering import table
from hdm.detector.evidence import WORST, worst
from hdm.diffusion.latent_prior import RESIDUAL_LEVELS
from hdm.pom.discrimination.fusion_fit import TAUGHT, TAUGHT_BY_TILES, fit_fusion

READ = ((), (0.34,), (0.5,), (0.66,), (0.34, 0.66), (0.34, 0.5, 0.66), LEVELS)
WEIGHTS = (0.0, 0.25, 1 / 3, 0.5, 2 / 3)
SHARES = (0.002, 0.005, 0.01, 0.02)


class Setting(NamedTuple):
    """levels of the residual beside inversion; weight of the discriminators for whole images, and
    for those that are judged by tiles; share of a whole image's pixels."""

    levels: tuple[float, ...]
    whole: float
    tiles: float
    share: float


OWN = Setting(RESIDUAL_LEVELS, TAUGHT, TAUGHT_BY_TILES, WORST)
SETTINGS = [Setting(*values) for values in product(READ, WEIGHTS, WEIGHTS, SHARES)]
MEASURED = [OWN, *SETTINGS]


def main(arguments: list[str] | None = None) -> int:
    """Print the table; returns 1 if there is no evidence to read."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.leave_one_out",
                                     description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--evidence", type=Path, default=FOLDER)
    choice = parser.parse_args(arguments)
    by_set: dict[str, list[dict[Setting, float]]] = defaultdict(list)
    for file in sorted(choice.evidence.glob(f"{choice.preset}-*.safetensors")):
        by_set[file.stem.removeprefix(f"{choice.preset}-").rpartition("-")[0]].append(figures(file))
    if len(by_set) < 2:
        print(f"error: evidence of {len(by_set)} sets in {choice.evidence}, expected two or more; "
              "run `python -m benchmarks.quality --methods hdm` first.", file=sys.stderr)
        return 1
    print(rendered({name: {setting: fmean(run[setting] for run in runs) for setting in runs[0]}
                    for name, runs in by_set.items()}))
    return 0


def figures(file: Path) -> dict[Setting, float]:
    """Image AUROC of each setting."""
    test, held, labels, canvas = load_evidence(file)
    tiled = any(tuple(maps.shape[-2:]) != canvas for maps in test)
    truth, found = labels.numpy(), {}
    weights = {weight for s in MEASURED for weight in (s.whole, s.tiles)}
    for levels, weight in product({s.levels for s in MEASURED}, weights):
        rows = [*(LEVELS.index(level) for level in levels), len(LEVELS)]

        def pick(maps: torch.Tensor, rows: list[int] = rows) -> torch.Tensor:
            return torch.cat([maps[rows], maps[-2:].sum(0, keepdim=True)])[None]

        fusion = fit_fusion([pick(maps) for maps in held], canvas, tiled=tiled, taught=weight)
        joined = [fusion.evidence(pick(maps), canvas) for maps in test]
        scanned = [evidence.scores.item() for evidence in joined]
        for share in {s.share for s in MEASURED}:
            scores = scanned if tiled else [worst(one.pixels, share).item() for one in joined]
            auroc = float(roc_auc_score(truth, scores))
            for other in weights:
                pair = (other, weight) if tiled else (weight, other)
                found[Setting(levels, *pair, share)] = auroc
    return found


def best(by_set: Mapping[str, Mapping[Setting, float]]) -> Setting:
    """With the highest mean over the sets; of equally good ones the first."""
    return max(SETTINGS, key=lambda setting: fmean(by[setting] for by in by_set.values()))


def rendered(by_set: Mapping[str, Mapping[Setting, float]]) -> str:
    """The table as Markdown, with the means."""
    everywhere, body = best(by_set), []
    values: list[tuple[float, float, float]] = []
    for name, own in by_set.items():
        elsewhere = best({other: by for other, by in by_set.items() if other != name})
        values.append((own[OWN], own[everywhere], own[elsewhere]))
        body.append([name, *(f"{value:.3f}" for value in values[-1]), told(elsewhere)])
    means = [f"{fmean(column):.3f}" for column in zip(*values, strict=True)]
    body.append(["mean", *means, f"on all: {told(everywhere)}"])
    return table(["set", "HDM's own", "best on all", "best on the others", "which"], body)


def told(setting: Setting) -> str:
    """In words."""
    levels = ", ".join(f"{level:g}" for level in setting.levels) or "none"
    return (f"residuals {levels}; discriminators {setting.whole:.2f}, by tiles "
            f"{setting.tiles:.2f}; {setting.share:.1%} of pixels")


if __name__ == "__main__":
    sys.exit(main())
