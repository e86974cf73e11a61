"""`hdm export`: a line's model as one ONNX file."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from hdm.commands.line_name import LineName
from hdm.commands.model_choice import Trained, Version, named
from hdm.detector.detector import HDM
from hdm.errors import ConfigError
from hdm.export.comparing import comparison_images
from hdm.export.onnx_file import export as write
from hdm.line import Line
from hdm.registry.answering import Choice, answering


def export(
    line: LineName,
    output: Annotated[Path, typer.Option(metavar="FILE.onnx", help="Where it goes.")],
    version: Version = "",
    trained: Trained = False,
    model: Annotated[str, typer.Option(metavar="FOLDER|models:/...", help=(
        "A detector from elsewhere."))] = "",
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
    with answering(chosen, Choice(version, trained, model)) as found:
        detector = HDM.load(found.folder, device="cpu", precision="fp32",
                            threads=chosen.params.compute.threads,
                            operating_point=found.operating_point)
    real = comparison_images(chosen, images)
    bits = depth or (16 if any(image.dtype == np.uint16 for image in real) else 8)
    facts = {"line": line, "model": chosen.model_name, "version": found.version}
    agreed = write(detector, facts, real, output, bits)
    print(f"{output}: {named(found.version)} of {line}, {bits} bit; on {agreed.images} images the "
          f"scores agree with torch within {agreed.score:.1g}, the anomaly maps within "
          f"{agreed.anomaly_map:.1g}, decisions and p-values are the same")
    if found.note:
        print(f"note: {found.note}")
