"""`hdm export`: a line's model for other runtimes and machines."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from hdm.commands.line_name import LineName
from hdm.commands.model_choice import Trained, Version, named
from hdm.detector.detector import HDM
from hdm.errors import ConfigError
from hdm.export.comparing import comparison_images
from hdm.export.exporting import FOLDER, ONNX, OPENVINO
from hdm.export.exporting import export as write
from hdm.line import Line
from hdm.registry.answering import Choice, answering
from hdm.terminal import say


def export(
    line: LineName,
    output: Annotated[str, typer.Option(metavar="FILE.onnx|FILE.xml|FOLDER/", help=(
        "Where it goes: an ONNX file, an OpenVINO file with its .bin, or a folder that judges "
        "pictures by itself."))],
    version: Version = "",
    trained: Trained = False,
    model: Annotated[str, typer.Option(metavar="FOLDER|models:/...", help=(
        "A detector from elsewhere."))] = "",
    images: Annotated[Path | None, typer.Option(metavar="DIR", help=(
        "Images to compare on; the line's calibration images if left out."))] = None,
    depth: Annotated[int, typer.Option(metavar="8|16", help=(
        "Bits a channel of the pixels it takes; if left out as the line's images, and of a folder "
        "16, which takes 8, too."))] = 0,
    fp16: Annotated[bool, typer.Option("--fp16", help=(
        "OpenVINO: keep the weights in 16 bits, half as large and a little less exact."))] = False,
) -> None:
    """Write a model as ONNX, OpenVINO or a folder that runs by itself, if it agrees with torch on
    real images."""
    chosen = Line.load(line)
    if depth not in (0, 8, 16):
        raise ConfigError(f"expected --depth 8 or 16, received {depth}.")
    target = Path(output)
    folder = output.endswith(("/", "\\")) or not target.suffix
    if not folder and target.suffix not in (ONNX, OPENVINO):
        raise ConfigError("expected --output to end in .onnx or .xml, or in / for a folder, "
                          f"received {output}.")
    with answering(chosen, Choice(version, trained, model)) as found:
        detector = HDM.load(found.folder, device="cpu", precision="fp32",
                            threads=chosen.params.compute.threads,
                            operating_point=found.operating_point)
    real = comparison_images(chosen, images)
    bits = depth or (16 if folder or any(image.dtype == np.uint16 for image in real) else 8)
    facts = {"line": line, "model": chosen.model_name, "version": found.version}
    agreed = write(detector, facts, real, target, bits, kind=FOLDER if folder else target.suffix,
                   half=fp16)
    say(f"{output}: {named(found.version)} of {line}, {bits} bit; on {agreed.images} images the "
        f"scores agree with torch within {agreed.score:.1g}, the anomaly maps within "
        f"{agreed.anomaly_map:.1g}, decisions and p-values are the same"
        + (f" but for {agreed.at_threshold} whose score is the threshold itself"
           if agreed.at_threshold else ""))
    if folder:
        say(f"on the other machine: see {target / 'README.txt'}")
    if found.note:
        say(f"note: {found.note}")
