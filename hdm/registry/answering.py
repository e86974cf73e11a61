"""Which detector answers for a line: the champion, unless another one is chosen."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hdm.errors import ConfigError, HDMError
from hdm.line import TRAINED, Line
from hdm.registry import fetch
from hdm.registry.address import tracking_off
from hdm.registry.detector_files import check_trained
from hdm.registry.mlflow_uris import MODELS, model_uri


@dataclass(frozen=True)
class Choice:
    """What a user asked for; nothing at all asks for the champion.

    version: a number of the line's own. trained: the detector that was trained last. model: a
    detector's folder, or models:/NAME@ALIAS or models:/NAME/VERSION.
    """

    version: str = ""
    trained: bool = False
    model: str = ""


@dataclass(frozen=True)
class Answering:
    """A detector as `hdm.HDM.load` takes it.

    version: its number in the registry, or `hdm.line.TRAINED`. operating_point: a file with the
    one to decide by; None takes the folder's own. note: what a user must be told, or "".
    """

    version: str
    folder: Path
    operating_point: Path | None = None
    note: str = ""


@contextmanager
def answering(line: Line, choice: Choice | None = None) -> Iterator[Answering]:
    """The detector that was chosen, whose files are there within the block.

    Raises ConfigError for a contradictory choice, RegistryError where the registry does not answer
    or has no such version, HDMError where there is no detector, or one whose files are not those
    that were registered or trained. A folder that the user names is taken at the user's word.
    """
    wanted = choice or Choice()
    if sum(map(bool, (wanted.version, wanted.trained, wanted.model))) > 1:
        raise ConfigError("expected at most one of --version, --trained and --model, received "
                          "several; say which detector is to answer.")
    with tempfile.TemporaryDirectory(prefix="hdm-model-") as scratch:
        found = _found(line, wanted, Path(scratch))
        if not (found.folder / "detector.json").is_file():
            raise HDMError(f"expected a detector in {found.folder}, found none; train it with "
                           f"`hdm run {line.name}` or name another with --model.")
        yield found


def champion_or_why(line: Line) -> tuple[str | None, str]:
    """The version that is champion, or None and why the detector that was trained last stands for
    it. Raises RegistryError where a registry that should be there does not answer."""
    if tracking_off():
        return None, f"HDM_TRACKING is off, so that {line.name}'s live version is not known"
    version = fetch.live_version(line)
    return version, "" if version else f"{line.name} has no live version yet"


def _found(line: Line, choice: Choice, scratch: Path) -> Answering:
    if choice.version and not choice.version.isdigit():
        raise ConfigError(f"expected a version number such as 3, received {choice.version!r}; "
                          f"`hdm history {line.name}` lists them.")
    if choice.model and not choice.model.startswith(MODELS):
        return Answering(TRAINED, Path(choice.model))
    note, model = "", choice.model
    if choice.version:
        model = model_uri(line.model_name, choice.version)
    elif not model and not choice.trained:
        version, why = champion_or_why(line)
        model = model_uri(line.model_name, version) if version else ""
        note = f"{why}: the detector that was trained last answers." if why else ""
    if model:
        return Answering(*fetch.fetch(line, model, scratch))
    point = line.operating_point_file
    check_trained(line)
    return Answering(TRAINED, line.detector_folder, point if point.is_file() else None, note)
