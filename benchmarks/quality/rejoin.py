"""Rows of HDM anew from the evidence that its runs left, as the present code joins it.

    python -m benchmarks.quality.rejoin --preset fast

Nothing is trained: what a run cost stays as it was, and what evidence says is measured again, for
HDM and for all that joins its maps in another way. `notes.trained` says which code trained.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmarks.quality.evidence_store import FOLDER, load_evidence
from benchmarks.quality.job import commit
from benchmarks.quality.measuring import measure
from benchmarks.quality.methods.hdm_method import joins
from benchmarks.quality.presets import PRESETS, PROJECT, params_of
from benchmarks.quality.results import RESULTS, Row, add_row, read_rows
from benchmarks.quality.sets import divided, read_set
from benchmarks.quality.tables import summary
from hdm.errors import HDMError
from hdm.files import write_text


def main(arguments: list[str] | None = None) -> int:
    """Rewrite rows and tables; returns 1 if there is no row with evidence."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.rejoin",
                                     description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--data", type=Path, default=PROJECT.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--evidence", type=Path, default=FOLDER)
    choice = parser.parse_args(arguments)
    file, done = choice.out / f"{choice.preset}.json", 0
    try:
        for row in [row for row in read_rows(file) if row["method"] == "hdm"]:
            maps = choice.evidence / f"{choice.preset}-{row['set']}-{row['seed']}.safetensors"
            if not maps.is_file():
                print(f"skipped: {row['set']}, seed {row['seed']}: there is no {maps}")
                continue
            for found in rejoined(row, maps, choice.data / row["set"]):
                write_text(file.with_suffix(".md"), summary(add_row(file, found), choice.preset))
            done += 1
    except HDMError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return int(not done)


def rejoined(row: Row, maps: Path, folder: Path) -> list[Row]:
    """The row's figures from stored maps, and those of other ways to join."""
    params = params_of(row["preset"], seed=row["seed"])
    manifest = read_set(folder, seed=row["seed"], limit=PRESETS[row["preset"]].images,
                        calibration_fraction=params.ingest.calibration_fraction)
    test, shown = manifest.split("test"), list(manifest.split("calibration").frame["group"])
    found, held, _, canvas = load_evidence(maps)
    joined, sets = divided(shown)
    rows: list[Row] = []
    for name, join in joins(canvas, tiled=row["fit"] == "tile").items():
        figures: dict[str, Any] = measure(join([held[n] for n in joined]), test, found,
                                          [held[n] for n in sets], [shown[n] for n in sets], {},
                                          params.evaluate, row["seed"])
        notes = {"trained": row["commit"], **row["notes"]}
        rows.append({**row, **figures, "method": name, "ms_per_image": row["ms_per_image"],
                     "lighting": {}, "notes": notes, "commit": commit()})
        print(f"{name} on {row['set']}, seed {row['seed']}: image {figures['image_auroc']:.3f}",
              flush=True)
    return rows


if __name__ == "__main__":
    sys.exit(main())
