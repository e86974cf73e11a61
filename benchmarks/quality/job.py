"""One run of one method on one set, in a process of its own: `python -m benchmarks.quality.job`.

A process of its own, so that its peak memory and its threads are its own.
"""

import argparse
import resource
import sys
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.quality.presets import PRESETS, PROJECT, params_of
from hdm import git
from hdm.errors import HDMError
from hdm.files import write_json


def main() -> int:
    """Read the job from the command line and write its rows; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--method", required=True)
    parser.add_argument("--set", required=True, type=Path, dest="folder")
    parser.add_argument("--preset", required=True, choices=PRESETS)
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--light", action="store_true")
    parser.add_argument("--unfinished", required=True, type=Path)
    parser.add_argument("--rows", required=True, type=Path)
    choice = parser.parse_args()
    try:
        write_json(choice.rows, run(choice.method, choice.folder, choice.preset, choice.seed,
                                    unfinished=choice.unfinished, seconds=choice.seconds,
                                    threads=choice.threads, light=choice.light))
    except HDMError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def run(name: str, folder: Path, preset: str, seed: int, *, unfinished: Path,
        seconds: float | None = None, threads: int | None = None, light: bool = False,
        ) -> list[dict[str, Any]]:
    """Train and measure; returns the method's row, then those of what comes with its training.
    `unfinished`: the folder in which HDM's training is kept, and gone on with; `seconds`: a trained
    baseline's budget; `light`: measured in changed light, too."""
    import torch

    from benchmarks.quality.methods import METHODS, Task
    from benchmarks.quality.sets import divided, read_set
    from hdm.dagm.latent_vectors import training_views
    from hdm.dataset.held_out import joining_images
    from hdm.dataset.tensors import load_normals, load_prepared, load_whole
    from hdm.diffusion.compute import Backend

    method = METHODS[name]
    params = params_of(preset, seed=seed, threads=threads, over=method.over)
    backend = Backend(params.compute)
    manifest = read_set(folder, seed=seed, limit=PRESETS[preset].images,
                        good=PRESETS[preset].good,
                        calibration_fraction=params.ingest.calibration_fraction)
    train, test = manifest.split("train"), manifest.split("test")
    form = method.form_of(train, params.image)
    held = load_whole(manifest.split("calibration"), form)
    shown = list(manifest.split("calibration").frame["group"])
    joins, _ = divided(shown)
    views = training_views(load_prepared(train, form), form, params.dagm_fit.views, params.benign,
                           seed=seed)
    normals = load_normals(train, form, seed=seed)
    calibration = load_normals(joining_images(manifest), form, seed=seed)
    torch.manual_seed(seed)
    unfinished.mkdir(parents=True, exist_ok=True)
    fitted = method.fit(Task(normals, calibration, form, params, seed, seconds, unfinished,
                             views, len(train), [held[number] for number in joins]))
    images, rows = load_whole(test, form), []
    for own, figures in _figures(name, fitted, test, images, held, shown, form, params, seed,
                                 preset, light=light).items():
        rows.append({
            "method": own, "set": folder.name, "preset": preset, "seed": seed, **figures,
            "train_flop": fitted.flop, "train_seconds": sum(fitted.seconds.values()),
            "stage_seconds": fitted.seconds, "budget_seconds": seconds,
            "parameters": fitted.parameters, "notes": fitted.notes,
            "peak_memory_mb": peak_memory_mb(), "device": device_name(backend.device),
            "threads": torch.get_num_threads(), "commit": commit(),
            "canvas": [form.height, form.width, form.channels], "fit": form.fit,
            "scale": form.scale, "detail": form.detail})
    return rows


def _figures(name: str, fitted: Any, test: Any, images: list[Any], held: list[Any],
             shown: list[str], form: Any, params: Any, seed: int, preset: str, *, light: bool,
             ) -> dict[str, dict[str, Any]]:
    """Figures of the method, and of those that join its evidence in other ways; what joins is
    measured on stored evidence, and HDM itself under changed light, too. Some held-out parts join,
    the others set thresholds."""
    from benchmarks.quality.evidence_store import save_evidence
    from benchmarks.quality.measuring import measure, relights
    from benchmarks.quality.methods.method import whole
    from benchmarks.quality.sets import divided

    changed = relights(images, form) if light else {}
    joins, sets = divided(shown)
    setting = [shown[number] for number in sets]
    if fitted.evidence is None:
        return {name: measure(whole(fitted, form), test, images, [held[n] for n in sets], setting,
                              changed, params.evaluate, seed)}
    start = perf_counter()
    found = fitted.evidence(images)
    milliseconds = 1000 * (perf_counter() - start) / len(images)
    known = fitted.evidence(held)
    if name == "hdm":
        save_evidence(f"{preset}-{Path(test.root).name}-{seed}", [row.label for row in test],
                      found, known, (form.height, form.width))
    figures = {}
    for own, join in fitted.joins.items():
        if own != "hdm" and name != "hdm":
            continue
        relit = {kind: partial(_relit_evidence, fitted, make) for kind, make in changed.items()} \
            if own == name else {}
        figures[name if own == "hdm" else own] = measure(
            join([known[n] for n in joins]), test, found, [known[n] for n in sets], setting, relit,
            params.evaluate, seed) | {
            "ms_per_image": milliseconds}
    return figures


def _relit_evidence(fitted: Any, make: Any) -> list[Any]:
    evidence: list[Any] = fitted.evidence(make())
    return evidence


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, in 10^6 bytes; Linux counts in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def device_name(device: Any) -> str:
    """`cpu`, or the name of the GPU."""
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device.type)


def commit() -> str:
    """Short hash of the checkout, with `+` if code or settings have changed since."""
    edited = git.changed(PROJECT, "--", "hdm", "params.yaml", "benchmarks",
                              ":!benchmarks/quality/results")
    return (git.commit(PROJECT)[:7] or "unknown") + ("+" if edited else "")


if __name__ == "__main__":
    sys.exit(main())
