"""`python -m benchmarks.walks PROJECT`: three people with a fresh clone.

PROJECT: a clone after `make setup`, which is changed. Needs the packages playwright and a Chromium.
Writes docs/production/walks.md and its screens.
"""

import argparse
import os
import platform
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

from benchmarks.walks.ml_engineer import walk_ml_engineer
from benchmarks.walks.plant_operator import walk_operator
from benchmarks.walks.quality_engineer import walk_quality_engineer
from benchmarks.walks.walk import HEIGHT, WIDTH, Step, Walk, home_of, told
from hdm.files import read_json, write_json, write_text
from hdm.samples import draw_line

OUT = Path(__file__).parents[2] / "docs" / "production"
SHIFT, DIM, GLARE = 80, 20, (30, 45, 60)
"""Pictures of the shift; from which on its lamp is dim; which have a reflection."""


def main() -> None:
    """Walk, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("--only", choices=["quality", "operator", "ml"], action="append")
    project, only = (given := parser.parse_args()).project.resolve(), given.only
    out = OUT / "walks"
    out.mkdir(parents=True, exist_ok=True)
    source, new, shift = pictures(project.parent)
    walks: list[Walk] = []
    people = {
        "quality": ("Quality engineer", lambda one: walk_quality_engineer(one, source, new)),
        "operator": ("Operator", lambda one: walk_operator(one, shift)),
        "ml": ("ML engineer", walk_ml_engineer)}
    with sync_playwright() as playwright, home_of(project) as address:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"),
                                             args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        for name, (who, walked) in people.items():
            if only and name not in only:
                continue
            walks.append(Walk(name, who, project, out, page, address))
            walked(walks[-1])
            for step in walks[-1].steps:
                print(f"{name}: {step.seconds:7.1f} s  {step.title}", flush=True)
    kept = out / "steps.json"
    known = read_json(kept) if kept.is_file() else {}
    known |= {walk.name: [asdict(step) for step in walk.steps] for walk in walks}
    write_json(kept, known)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=project, text=True,
                            capture_output=True, check=True).stdout.strip()
    facts = (f"{os.cpu_count()} cores ({platform.machine()}), load {os.getloadavg()[2]:.1f} at the "
             f"end, commit {commit}.")
    write_text(OUT / "walks.md", told({people[name][0]: [Step(**step) for step in known[name]]
                               for name in people if name in known}, facts))


def pictures(folder: Path) -> tuple[Path, Path, Path]:
    """Her folder as she has it, a new picture with a defect, and a shift whose lamp fades."""
    drawn, source, shift = folder / "drawn", folder / "filter_mesh", folder / "shift"
    if not drawn.exists():
        draw_line("woven_mesh", drawn, seed=7)
        (source / "good").mkdir(parents=True)
        for file in sorted((drawn / "train" / "good").iterdir()):
            shutil.copyfile(file, source / "good" / file.name)
        kinds = sorted(kind for kind in (drawn / "test").iterdir() if kind.name != "good")
        for kind in kinds:
            (source / kind.name).mkdir()
            for file in sorted(kind.iterdir())[1:]:
                shutil.copyfile(file, source / kind.name / file.name)
        shutil.copyfile(next(iter(sorted(kinds[0].iterdir()))), folder / "new_part.png")
        draw_line("woven_mesh", folder / "later", seed=8)
        shift.mkdir()
        good = sorted((folder / "later" / "train" / "good").iterdir())
        for number, file in enumerate(good[:SHIFT]):
            pixels = np.asarray(Image.open(file), np.float32)
            if number >= DIM:
                pixels = 0.78 * pixels
            if number in GLARE:  # a reflection on a good part
                across, down = np.meshgrid(*map(np.arange, pixels.shape[1::-1]))
                far = ((across - 40 - number) ** 2 + (down - 60) ** 2) / 120
                pixels = pixels + 90 * np.exp(-far)[..., None]
            Image.fromarray(pixels.clip(0, 255).round().astype(np.uint8)).save(
                shift / f"part_{number:03d}.png")
    return source, folder / "new_part.png", shift


if __name__ == "__main__":
    main()
