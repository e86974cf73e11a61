"""A detector as a folder that runs with ONNX Runtime and NumPy alone."""

import hashlib
import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hdm import __version__
from hdm.backbone.weights import LICENCE
from hdm.detector import region_outline, regions
from hdm.detector.decidability import FIGURES, Limits
from hdm.detector.detector import HDM
from hdm.detector.promise import promise
from hdm.errors import ConfigError
from hdm.export import standalone
from hdm.export.folder_model import run
from hdm.export.golden import Golden, write_golden
from hdm.export.standalone_text import readme
from hdm.files import atomic_folder, write_json, write_text

PROGRAMS = ("judge.py", "check.py", "standalone_model.py", "read_picture.py")
PINNED = ("numpy", "onnxruntime", "pillow", "opencv-python-headless")
OWN = {*PROGRAMS, "told_regions.py", "region_outline.py", "model.onnx", "model.json", "README.txt",
       "requirements.txt", "golden", "__pycache__"}
"""All that an exported folder holds: what holds more is never replaced."""
NO_WEIGHTS = "It was trained from scratch: no published weights are in it."


def check_free(folder: Path) -> None:
    """Raise ConfigError unless `folder` is new, empty, or an earlier export with nothing else."""
    if not folder.exists():
        return
    held = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    others = sorted(held - OWN)
    if not folder.is_dir() or others or (held and "model.json" not in held):
        what = f"which holds {others[0]}" if others else "which is none"
        raise ConfigError(f"expected --output to name a new folder or an earlier export, received "
                          f"{folder}, {what}; name another, nothing was written.")


def lay_out(detector: HDM, facts: dict[str, Any], graph: Path, folder: Path) -> None:
    """Make `folder` of the .onnx `graph`; what is still to be measured is added by `complete`.

    facts: those in the graph.
    """
    folder.mkdir()
    shutil.copyfile(graph, folder / "model.onnx")
    programs = Path(standalone.__path__[0])
    for name in PROGRAMS:
        shutil.copyfile(programs / name, folder / name)
    for module, name in ((regions, "told_regions.py"), (region_outline, "region_outline.py")):
        text = Path(str(module.__file__)).read_text(encoding="utf-8")
        write_text(folder / name, text.replace("from hdm.detector.", "from "))
    write_text(folder / "requirements.txt",
               "".join(f"{name}=={version(name)}\n" for name in PINNED))
    write_json(folder / "model.json", {
        **facts, "promise": promise(detector.operating_point), "made_by": f"hdm {__version__}",
        "licence": NO_WEIGHTS if detector.scorer.ddm.prior is None else f"Inside are {LICENCE}.",
        "limits": [] if detector.decidability is None else limits(detector.decidability.limits),
        "files": {"model.onnx": _digest(folder / "model.onnx")}})


def complete(folder: Path, facts: dict[str, Any], golden: Sequence[Golden]) -> None:
    """Add golden pictures, README.txt and all hashes; facts: what model.json holds besides.

    Raises HDMError if the folder does not pass its own check.
    """
    write_golden(golden, folder / "golden")
    write_text(folder / "README.txt", readme(facts))
    files = {path.relative_to(folder).as_posix(): _digest(path)
             for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "model.json"}
    write_json(folder / "model.json", {**facts, "files": files})
    run(folder, "check.py")


def place(made: Path, target: Path) -> None:
    """Copy a complete folder to where it belongs, whole or not at all."""
    with atomic_folder(target.resolve()) as temporary:
        shutil.copytree(made, temporary, dirs_exist_ok=True)


def limits(found: Limits) -> list[dict[str, Any]]:
    """Every limit as plain values: number of its figure, which side, the code of a picture beyond
    it, and where it lies for pictures whose score calls them good and defects."""
    out: list[dict[str, Any]] = []
    bounds = {called: found.bounds(called=called) for called in (False, True)}
    for number in range(len(FIGURES)):
        for above, own in ((False, found.low), (True, found.high)):
            if own[number] is None:
                continue
            beyond = list(found.centre)
            beyond[number] = bounds[False][above][number] + (1 if above else -1)
            [doubt] = found.doubts(beyond, called=False)
            out.append({"figure": number, "above": above, "code": doubt.code,
                        "bound": bounds[False][above][number],
                        "bound_of_defects": bounds[True][above][number]})
    return out


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
