"""`python -m benchmarks.scale.over_dask PROJECT LINE --most 160`

Works on pictures of a line that is trained, here and on 1, 2 and 4 Dask workers of one thread on
this machine, and writes results/over_dask.json and results/over_dask.md: seconds, speed-up against
one worker, and whether all results are the same, bit for bit. Workers have loaded what they need
before. Figures that are there already of other works stay.
"""

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.scale.own_cluster import own_cluster
from hdm.backbone.encoder import Encoder
from hdm.cluster.spreading import HERE
from hdm.commands import prediction_table
from hdm.commands.prediction_table import Judging
from hdm.dagm.encoding import Views, spread_encoded
from hdm.dagm.latent_vectors import gathered
from hdm.dataset.manifest import Manifest
from hdm.detector.detector import HDM
from hdm.evaluation.collected import Collected
from hdm.evaluation.predicting import predictions
from hdm.evaluation.sent_detector import SentDetector
from hdm.files import write_json, write_text
from hdm.ingest.decoding import decode_all
from hdm.line import Line
from hdm.validation.statistics import measure

RESULTS = Path(__file__).parent / "results"
WORKERS = (1, 2, 4)
WORKS = ("ingest", "validate", "encode", "evaluate", "predict")
WARM = 32
"""Pictures that are worked on before the clock starts."""
Work = Callable[[str, int], str]


class Works:
    """What a line's stages do to pictures: each takes where, and how many, and gives a hash."""

    def __init__(self, line: Line) -> None:
        self.line, self.compute = line, line.params.compute
        self.manifest = Manifest.load(line.manifest_file, line.source_root)
        self.detector = HDM.load(line.detector_folder, threads=self.compute.threads)

    def ingest(self, where: str, most: int) -> str:
        found = decode_all(self.line.source_root, self._some(self.manifest, most).frame["path"],
                           cluster=where)
        return _hash(repr(sorted(map(str, found.facts.values()))), repr(found.bad))

    def validate(self, where: str, most: int) -> str:
        found = measure(self._some(self.manifest, most), threads=self.compute.threads,
                        cluster=where)
        return _hash(found.to_json(double_precision=15))

    def encode(self, where: str, most: int) -> str:
        images = self._some(self.manifest.split("train"), most)
        settings = self.line.params
        views = Views(images, self.detector.form, settings.dagm_fit.views, settings.benign, 0)
        encoder = Encoder.published(self.detector.scorer.ddm.backend.device)
        space, vectors = gathered(spread_encoded(views, encoder, self.compute, where), len(images),
                                  settings.dagm_fit.dimensions, seed=0)
        return _hash(*(tensor.numpy().tobytes() for tensor in (
            space.mean, space.whitening, vectors.latents, vectors.places)))

    def evaluate(self, where: str, most: int) -> str:
        images = self._some(self.manifest.split("test"), most)
        seen = Collected.of(images, predictions(self._judge(where), images, cluster=where,
                                                threads=self.compute.threads))
        return _hash(repr(seen.rows), *(one.tobytes() for one in seen.thumbnails))

    def predict(self, where: str, most: int) -> str:
        images = self._some(self.manifest.split("test"), most)
        files = [images.image_file(row) for row in images]
        with tempfile.TemporaryDirectory(prefix="hdm-predict-") as scratch:
            judging = Judging(self._judge(where), "1", "line", self.detector.region_rule,
                              Path(scratch), threads=self.compute.threads)
            rows = prediction_table.predict_files(judging, files, lambda *_: None, cluster=where)
            prediction_table.write_tables(rows, Path(scratch))
            return _hash(*(part for file in sorted(Path(scratch).rglob("*.*"))
                           for part in (file.name, file.read_bytes())))

    def _judge(self, where: str) -> Any:
        return self.detector if where == HERE else SentDetector.of(
            self.line.detector_folder, self.compute, self.detector.operating_point)

    @staticmethod
    def _some(images: Manifest, most: int) -> Manifest:
        return images.where(np.arange(len(images)) < most)


def main(arguments: list[str] | None = None) -> int:
    """Measure and write both files."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale.over_dask")
    parser.add_argument("project", type=Path)
    parser.add_argument("line")
    parser.add_argument("--most", type=int, default=160, help="pictures a stage")
    parser.add_argument("--works", type=lambda text: text.split(","), default=list(WORKS),
                        help=f"of {', '.join(WORKS)}, with commas")
    parser.add_argument("--out", type=Path, default=RESULTS)
    choice = parser.parse_args(arguments)
    works = Works(Line.load(choice.line, choice.project.resolve()))
    file = choice.out / "over_dask.json"
    before = json.loads(file.read_text(encoding="utf-8"))["works"] if file.is_file() else {}
    found: dict[str, dict[str, Any]] = {name: {"pictures": choice.most} for name in choice.works}
    for workers in (0, *WORKERS):
        with _place(workers) as where:
            for name in choice.works:
                work: Work = getattr(works, name)
                work(where, WARM)
                begin = time.monotonic()
                digest = work(where, choice.most)
                seconds = round(time.monotonic() - begin, 2)
                found[name][str(workers)] = {"seconds": seconds, "hash": digest}
                print(name, workers or HERE, seconds, digest, flush=True)
    content = {"line": choice.line, "threads": works.compute.threads, "works": before | found}
    write_json(file, content)
    write_text(choice.out / "over_dask.md", table(content))
    print(table(content))
    return int(not all(_same(row) for row in found.values()))


@contextmanager
def _place(workers: int) -> Iterator[str]:
    if not workers:
        yield HERE
        return
    with tempfile.TemporaryDirectory(prefix="hdm-dask-") as scratch, \
            own_cluster(Path(scratch), workers) as own:
        yield own.address


def table(content: dict[str, Any]) -> str:
    """The results as Markdown."""
    head = ["", "pictures", f"here, threads: {content['threads']}",
            *(f"workers: {n}" for n in WORKERS),
            *(f"{n} against 1" for n in WORKERS[1:]), "results"]
    lines = [head, ["---", *["--:"] * (len(head) - 2), "---"]]
    for name in WORKS:
        if not (row := content["works"].get(name)):
            continue
        seconds = {workers: row[str(workers)]["seconds"] for workers in (0, *WORKERS)}
        lines.append([name, str(row["pictures"]), *(f"{value:.1f} s" for value in seconds.values()),
                      *(f"{seconds[1] / seconds[n]:.2f}" for n in WORKERS[1:]),
                      "the same" if _same(row) else "differ"])
    return "\n".join([
        "# Pictures over Dask workers", "", "Made by `python -m benchmarks.scale.over_dask`: "
        f"pictures of the line `{content['line']}`, workers of one thread each on this machine.",
        "",
        *("| " + " | ".join(line) + " |" for line in lines), ""])


def _same(row: dict[str, Any]) -> bool:
    return len({row[str(workers)]["hash"] for workers in (0, *WORKERS)}) == 1


def _hash(*parts: str | bytes) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part.encode() if isinstance(part, str) else part)
    return found.hexdigest()[:12]


if __name__ == "__main__":
    sys.exit(main())
