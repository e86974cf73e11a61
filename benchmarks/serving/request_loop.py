"""The plain loop that `benchmarks.serving` compares with: decode and judge, one image at a time."""

import json
import sys
import time
from pathlib import Path

import numpy as np

from hdm.dataset.images import decode_image
from hdm.detector.detector import HDM
from hdm.line import Line
from hdm.registry.fetch import fetch
from hdm.registry.mlflow_uris import model_uri


def main() -> None:
    """loop LINE SECONDS FOLDER: print images a second and latencies as JSON."""
    name, seconds, folder = sys.argv[1], float(sys.argv[2]), Path(sys.argv[3])
    line = Line.load(name)
    compute = line.params.compute
    detector = HDM.load(fetch(line, model_uri(line.model_name, "1")).folder, device=compute.device,
                        precision=compute.precision, threads=compute.threads)
    files = [file.read_bytes() for file in sorted(folder.iterdir())]
    latencies: list[float] = []
    for turn in range(2):  # the first one warms up
        latencies.clear()
        begun = time.monotonic()
        while time.monotonic() - begun < (seconds if turn else min(seconds, 2)):
            start = time.monotonic()
            detector.predict([decode_image(files[len(latencies) % len(files)], "image")])
            latencies.append(1000 * (time.monotonic() - start))
        took = time.monotonic() - begun
    print(json.dumps({"images_a_second": len(latencies) / took,
                      "p50_ms": float(np.percentile(latencies, 50)),
                      "p99_ms": float(np.percentile(latencies, 99))}))


if __name__ == "__main__":
    main()
