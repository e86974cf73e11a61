"""What the gate says of challengers that are as good as the champion, better, or worse.

Two detectors judge the same simulated test images: scores are Gaussian, half of their variance is
the part's and common to both (what is hard for one is hard for the other), and each sets its
threshold on simulated held-out good images. Metrics, bootstrap and gate are the product's own;
pixels are not simulated. `python -m benchmarks.guarantees.gate_outcomes` writes
results/gate_outcomes.json.
"""

import argparse
import math
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest, norm

from hdm.evaluation.collected import Collected
from hdm.evaluation.paired import Difference, differences
from hdm.files import write_json
from hdm.registry.gate import GateEvidence, gate
from hdm.settings import Register

RESULTS = Path(__file__).parent / "results" / "gate_outcomes.json"
STEP = 0.02
"""Change of the image AUROC by which a challenger is better or worse."""
SHARED = 0.5
"""Share of the scores' variance that is the part's, and the same for both detectors."""


@dataclass(frozen=True)
class Size:
    """A test set: pictures a good part and a defective one, types of defect, and calibration."""

    name: str
    good: tuple[int, ...]
    defects: tuple[int, ...]
    types: int
    calibration: int


# The demo lines test 48 good pictures of 32 parts and 72 defective ones of 48 parts, of six types.
SIZES = (Size("demo line: 32 + 48 parts, 48 + 72 pictures", (1, 2) * 16, (1, 2) * 24, 6, 37),
         Size("200 + 200 parts of one picture", (1,) * 200, (1,) * 200, 6, 150))
BASES = (0.95, 0.98)
"""Image AUROC of the better of both."""
CHALLENGERS = {"equal": (0.0, 0.0), f"better by {STEP:g}": (0.0, STEP),
               f"worse by {STEP:g}": (STEP, 0.0)}
"""How far the challenger and the champion are below the base."""


def simulate(runs: int) -> list[dict[str, Any]]:
    """A row a size, AUROC and challenger: how often the gate refuses, holds and promotes, with
    95 % intervals, and how often point estimates beside the tolerance would have refused."""
    return [_row(size, base, name, [
        _outcome(size, base - ours, base - theirs, seed) for seed in range(runs)])
        for size in SIZES for base in BASES for name, (ours, theirs) in CHALLENGERS.items()]


def _row(size: Size, base: float, name: str, found: list[tuple[str, bool]]) -> dict[str, Any]:
    counts, runs = Counter(outcome for outcome, _ in found), len(found)
    row: dict[str, Any] = {"test set": size.name, "auroc": base, "challenger": name, "runs": runs}
    for outcome in ("refuse", "hold", "promote"):
        interval = binomtest(counts[outcome], runs).proportion_ci(0.95)
        row |= {outcome: counts[outcome] / runs, f"{outcome}_low": float(interval.low),
                f"{outcome}_high": float(interval.high)}
    return row | {"refused_by_point_estimates": sum(by_point for _, by_point in found) / runs}


def _outcome(size: Size, ours: float, theirs: float, seed: int) -> tuple[str, bool]:
    """The gate's outcome for one pair of detectors, and whether point estimates would refuse."""
    random, settings = np.random.default_rng(seed), Register()
    kinds = ["good"] * len(size.good) + [f"type {n % size.types}" for n in range(len(size.defects))]
    pictures = np.array([*size.good, *size.defects])
    part = np.repeat(np.arange(len(kinds)), pictures)
    hard = random.normal(0, SHARED ** 0.5, len(kinds))[part]
    held_out = random.normal(0, SHARED ** 0.5, size.calibration)
    seen = [_judged(random, [kinds[n] for n in part], part, hard, held_out, auroc)
            for auroc in (ours, theirs)]
    found = differences(*seen, confidence=settings.confidence, resamples=settings.bootstrap,
                        seed=seed)
    metrics = {"image_auroc": next(d.ours for d in found if d.metric == "image_auroc")}
    decision = gate(GateEvidence(metrics, "measured", found), settings)
    return decision.outcome, _by_point(found, settings)


def _judged(random: np.random.Generator, kinds: list[str], part: np.ndarray, hard: np.ndarray,
            held_out: np.ndarray, auroc: float) -> Collected:
    """One detector's scores and decisions; types differ in how far they stand out."""
    own = (1 - SHARED) ** 0.5
    numbers = np.array([int(kind.split()[1]) if kind != "good" else -1 for kind in kinds])
    # Unequal types around the same mean: half a deviation down to half a deviation up.
    spread = np.linspace(-0.5, 0.5, max(numbers) + 1)
    far = np.where(numbers < 0, 0.0, 2 ** 0.5 * norm.ppf(auroc) + spread[numbers])
    scores = far + hard + random.normal(0, own, len(kinds))
    normals = held_out + random.normal(0, own, len(held_out))
    # The conformal threshold for 5 %.
    rank = min(math.ceil((len(normals) + 1) * 0.95 - 1e-9), len(normals))
    limit = float(np.sort(normals)[rank - 1])
    seen = Collected(normals.tolist())
    seen.threshold = limit
    seen.rows = [{"path": str(n), "group": str(part[n]), "label": int(kind != "good"),
                  "defect_type": kind, "score": float(scores[n]),
                  "decision": "defect" if scores[n] > limit else "good"}
                 for n, kind in enumerate(kinds)]
    return seen


def _by_point(found: tuple[Difference, ...], settings: Register) -> bool:
    """The rule that the bounds replaced."""
    return any(this.difference < -(settings.type_tolerance if this.defect_type else
                                   settings.tolerance) for this in found)


def main(arguments: list[str] | None = None) -> int:
    """Simulate and write; returns 1 if equal challengers are refused more often than stated."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guarantees.gate_outcomes")
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--out", type=Path, default=RESULTS)
    choice = parser.parse_args(arguments)
    rows = simulate(choice.runs)
    write_json(choice.out, rows)
    for row in rows:
        print(row["test set"], row["auroc"], row["challenger"], *(
            f"{name} {row[name]:.1%} ({row[f'{name}_low']:.1%} to {row[f'{name}_high']:.1%})"
            for name in ("refuse", "hold", "promote")),
            f"by point estimates {row['refused_by_point_estimates']:.0%}", sep="; ")
    miss = 1 - Register().confidence
    return int(any(row["refuse_low"] > miss for row in rows if row["challenger"] == "equal"))


if __name__ == "__main__":
    sys.exit(main())
