"""`hdm export`: a registered model as one ONNX file."""

import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from hdm.commands.line_name import LineName
from hdm.detector.detector import HDM
from hdm.errors import ConfigError
from hdm.export.comparing import comparison_images
from hdm.export.onnx_file import export as write
from hdm.line import Line
from hdm.registry.fetch import fetch
from hdm.registry.mlflow_uris import alias_uri
from hdm.registry.model_versions import CHAMPION


def export(
    line: LineName,
    output: Annotated[Path, typer.Option(metavar="FILE.onnx", help="Where it goes.")],
    model: Annotated[str, typer.Option(metavar="models:/...", help=(
        "The live version if left out."))] = "",
    images: Annotated[Path | None, typer.Option(metavar="DIR", help=(
        "Images to compare on; the line's calibration images if left out."))] = None,
    depth: Annotated[int, typer.Option(metavar="8|16", help=(
        "Bits a channel of the pixels it takes; as the line's images if left out."))] = 0,
) -> None:
    """Write a model as ONNX, pixels in and decision out, if it agrees with torch on real images."""
    chosen = Line.load(line)
    if depth not in (0, 8, 16):
        raise ConfigError(f"expected --depth 8 or 16, received {depth}.")
    if output.suffix != ".onnx":
        raise ConfigError(f"expected --output to end in .onnx, received {output}.")
    with tempfile.TemporaryDirectory(prefix="hdm-export-") as scratch:
        uri = model or alias_uri(chosen.model_name, CHAMPION)
        version, folder = fetch(chosen, uri, Path(scratch))
        detector = HDM.load(folder, device="cpu", precision="fp32",
                            threads=chosen.params.compute.threads)
    real = comparison_images(chosen, images)
    bits = depth or (16 if any(image.dtype == np.uint16 for image in real) else 8)
    facts = {"line": line, "model": chosen.model_name, "version": version}
    found = write(detector, facts, real, output, bits)
    print(f"{output}: version {version} of {line}, {bits} bit; on {found.images} images the scores "
          f"agree with torch within {found.score:.1g}, the anomaly maps within "
          f"{found.anomaly_map:.1g}, decisions and p-values are the same")
