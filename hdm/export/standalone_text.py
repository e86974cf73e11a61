"""What the README.txt of an exported folder says."""

import textwrap
from typing import Any

TEXT = """\
{line}, version {version}: a detector of defects, to run by itself
=================================================================

Type in this folder, with Python 3.11 or newer:

    python -m pip install -r requirements.txt
    python check.py
    python judge.py part.png

The first installs ONNX Runtime and NumPy, which are needed; Pillow, which reads PNG, JPEG, BMP and
TIFF; and OpenCV, which outlines regions and reads 16-bit colour PNG. Without the last two, pictures
are given as .npy and no regions are told; decisions are the same. The second judges the pictures in
golden/ and compares with what the detector itself said of them: if this machine answers otherwise,
it says so and ends with exit code 1. Each answer of the third is

    good          nothing odd was found
    defect        the score is above the threshold
    undecidable   the picture cannot be judged, the reason is named; it is not good

`python judge.py --json part.png` prints JSON, `--maps DIR` writes anomaly maps. In a program:
`from standalone_model import Model`.

What it is
{facts}
What is the same as with `hdm predict`
{same}
What is not
{other}"""
FILES = ("GIF, WebP, JPEG 2000, AVIF, PNM, stacks of pages and 16-bit colour TIFF are refused "
         "here, never read in another way.")
ONLY_HERE = ("Reasons are codes without a sentence, and all of them. Nothing is logged, so that "
             "`hdm monitor` sees nothing of what is judged here; no newer version arrives by "
             "itself: export again.")


def readme(facts: dict[str, Any]) -> str:
    """Of the facts in model.json."""
    size, agreed = facts["size"], facts["agreement"]
    bits = "8 or 16" if facts["depth"] == 16 else "8"
    takes = f"It takes pictures of {bits} bits a channel, grey or RGB, " + (
        f"of {size[1]} x {size[0]} px alone." if size else "of any size.")
    if facts["ignored_share"]:
        takes += f" {100 * facts['ignored_share']:.0f} % of each is ignored, as set for the line."
    same = (f"Decisions, scores, p-values, anomaly maps and, with OpenCV, regions. On "
            f"{agreed['images']} pictures, real ones and {facts['distorted']} "
            f"distorted ones made of them, scores differed by at most {agreed['score']:.1g} and "
            f"maps by at most {agreed['anomaly_map']:.1g}.")
    if agreed["at_threshold"]:
        same += (f" {agreed['at_threshold']} of them were decided otherwise, as their score is "
                 "the threshold itself, up to rounding.")
    sized = [f"A picture of another size than {size[1]} x {size[0]} px is undecidable here "
             "(other_size), as the graph has a fixed number of tiles; hdm judges it."] if size \
        else []
    return TEXT.format(
        line=facts["line"], version=facts["version"], same=_listed(same),
        facts=_listed(takes, f"Threshold {facts['threshold']:.6g}. {facts['promise']}",
                      facts["licence"], "model.json says all of it to machines, with the SHA-256 "
                      "of every file here."),
        other=_listed(*sized, FILES, ONLY_HERE))


def _listed(*sentences: str) -> str:
    return "".join(textwrap.fill(one, 98, initial_indent="  - ", subsequent_indent="    ") + "\n"
                   for one in sentences)
