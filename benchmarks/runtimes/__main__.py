"""What an exported model costs: size, pictures a second and agreement, beside torch.

    python -m benchmarks.runtimes --line brushed_plate
    python -m benchmarks.runtimes --name mtd --detector FOLDER --pictures DIR

torch (`hdm.HDM`, its encoder in OpenVINO as always on processors) is the baseline. All judge the
same pictures one at a time, in turns picture by picture, so that a loaded machine is loaded for
all; a ratio is the median over pictures and rounds of torch's time by the other's. By the clock
and, which other programs change less, in processor time. Rows of other names in
results/runtimes.json stay.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from hdm.dataset.images import SUFFIXES, read_image
from hdm.detector.detector import HDM
from hdm.errors import HDMError
from hdm.export.agreement import compare
from hdm.export.distorted import distorted
from hdm.export.exporting import ONNX, OPENVINO, runtime
from hdm.export.model_facts import facts_of
from hdm.export.onnx_file import write_onnx
from hdm.export.openvino_file import write_openvino
from hdm.files import read_json, write_json, write_text
from hdm.line import Line
from hdm.registry.answering import answering

RESULTS = Path(__file__).parent / "results"
MOST = 32
TORCH = "torch"
FORMATS = {"ONNX Runtime": (ONNX, False), "OpenVINO": (OPENVINO, False),
           "OpenVINO, 16-bit weights": (OPENVINO, True)}


def main(arguments: list[str] | None = None) -> int:
    """Measure one detector and write runtimes.json and runtimes.md; returns 1 on bad input."""
    choice = _parser().parse_args(arguments)
    try:
        if choice.line:
            line = Line.load(choice.line)
            files = sorted((line.source / "test").rglob("*"))
            with answering(line) as found:
                detector = HDM.load(found.folder, device="cpu", precision="fp32",
                                    threads=choice.threads, operating_point=found.operating_point)
        else:
            files = sorted(choice.pictures.rglob("*"))
            detector = HDM.load(choice.detector, device="cpu", precision="fp32",
                                threads=choice.threads)
        rows = measured(detector, _pictures(files), choice.rounds)
    except HDMError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    name, file = choice.name or choice.line, choice.out / "runtimes.json"
    content = read_json(file) if file.is_file() else {}
    content[name] = {"threads": choice.threads, "rounds": choice.rounds, "rows": rows,
                     "cores": os.cpu_count(), "load": os.getloadavg()[0],
                     "fit": detector.form.fit}
    write_json(file, content)
    write_text(choice.out / "runtimes.md", table(content))
    print(table(content))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.runtimes", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--line", default="", help="a trained line of the project")
    parser.add_argument("--name", default="", help="what the rows are called")
    parser.add_argument("--detector", type=Path, help="a detector's folder, instead of a line")
    parser.add_argument("--pictures", type=Path, help="with --detector; of one size for tiles")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser


def _pictures(files: Sequence[Path]) -> list[np.ndarray]:
    found = [file for file in files if file.suffix.lower() in SUFFIXES]
    return [read_image(file) for file in found[::max(1, len(found) // MOST)][:MOST]]


def measured(detector: HDM, pictures: list[np.ndarray], rounds: int) -> list[dict[str, Any]]:
    """A row a runtime."""
    size = list(pictures[0].shape[:2]) if detector.form.fit == "tile" else None
    facts = {"version": "", **facts_of(detector), "depth": 8, "size": size}
    asked = [*pictures, *distorted(pictures, sizes=size is None)]
    with tempfile.TemporaryDirectory() as scratch:
        graph = Path(scratch) / "model.onnx"
        write_onnx(detector, facts, graph)
        judges: dict[str, Any] = {TORCH: detector}
        sizes = {TORCH: _weights(detector, Path(scratch) / "detector")}
        for name, (kind, half) in FORMATS.items():
            file = graph
            if kind == OPENVINO:
                file = Path(scratch) / f"model{int(half)}.xml"
                write_openvino(graph, file, half=half)
            judges[name] = runtime(file)
            sizes[name] = sum(one.stat().st_size for one in file.parent.glob(f"{file.stem}.*")
                              if one.suffix != ONNX or kind == ONNX)
        seconds = in_turns(judges, pictures, rounds)
        rows = []
        for name, judge in judges.items():
            found = compare(detector, judge, asked)
            rows.append({"runtime": name, "bytes": sizes[name],
                         "per_second": 1 / float(np.median(seconds[name][0])),
                         "cpu_seconds": float(np.median(seconds[name][1])),
                         **{key: float(np.median(seconds[TORCH][n] / seconds[name][n]))
                            for n, key in enumerate(("ratio", "cpu_ratio"))},
                         "images": found.images, "score": found.score,
                         "anomaly_map": found.anomaly_map,
                         "decisions": found.decisions + found.at_threshold})
    return rows


def _weights(detector: HDM, folder: Path) -> int:
    detector.save(folder)
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def in_turns(judges: dict[str, Any], pictures: list[np.ndarray], rounds: int
             ) -> dict[str, np.ndarray]:
    """Of each picture in each round seconds by the clock and of processor, (2, N), by runtime."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in judges}
    for judge in judges.values():
        judge.predict(pictures[:2])  # graphs are compiled and caches filled
    for number in range(rounds):
        order = list(judges)[number % len(judges):] + list(judges)[:number % len(judges)]
        for picture in pictures:
            for name in order:
                start = perf_counter(), process_time()
                judges[name].predict([picture])
                taken[name].append((perf_counter() - start[0], process_time() - start[1]))
    return {name: np.array(values).T for name, values in taken.items()}


def table(content: dict[str, Any]) -> str:
    """All figures as Markdown."""
    lines = []
    for name, found in sorted(content.items()):
        kind = "judged by tiles" if found["fit"] == "tile" else "judged whole"
        lines += [f"`{name}`, {kind}: {found['threads']} threads of {found['cores']} cores, "
                  f"{found['rounds']} rounds in turns; load of the machine {found['load']:.1f}.",
                  "", "| runtime | MB | pictures/s | speed by torch's | processor ms a picture | "
                  "torch's by it | scores within | maps within | other decisions |",
                  "|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
        lines += [f"| {row['runtime']} | {row['bytes'] / 1e6:.1f} | {row['per_second']:.1f} | "
                  f"{row['ratio']:.2f} | {1e3 * row['cpu_seconds']:.0f} | {row['cpu_ratio']:.2f} | "
                  f"{row['score']:.1g} | {row['anomaly_map']:.1g} | {row['decisions']} of "
                  f"{row['images']} |" for row in found["rows"]]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
