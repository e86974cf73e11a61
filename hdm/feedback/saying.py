"""Taking down what a person says of a picture."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from hdm.dataset.feedback_entries import ID_LENGTH, FeedbackEntry, entries_in, mask_hash
from hdm.dataset.images import pixel_hash, read_image
from hdm.dataset.manifest import GOOD
from hdm.errors import ConfigError, DataError
from hdm.feedback.admission import admit, check_fits, scratch
from hdm.files import atomic_file, write_json
from hdm.line import Line
from hdm.monitoring.png import png_bytes
from hdm.monitoring.prediction_log import PredictionLog

DEFECT = "defect"
LONGEST_TEXT = 2000
_LOGGED = ("name", "model", "decision", "score", "threshold")


@dataclass(frozen=True)
class Statement:
    """verdict: good or defect. defect_type: '' if nobody says. mask: (H, W) bool as large as the
    picture, where the defect is; None if nobody drew it. part: the physical part, '' if unknown."""

    verdict: str
    defect_type: str = ""
    mask: np.ndarray | None = None
    who: str = ""
    why: str = ""
    part: str = ""


def logged(line: Line, *, row: int | None = None, digest: str = "") -> dict[str, object]:
    """The logged prediction with that id, or the last one of that picture; {} if there is none of
    the picture. Raises DataError for an unknown id."""
    log = PredictionLog(line.log_folder, line.params.monitor)
    try:
        table = log.read()
    finally:
        log.close()
    own = table[table["id"] == row] if row is not None else table[table["pixel_hash"] == digest]
    if len(own):
        return dict(own.iloc[-1])
    if row is not None:
        raise DataError(f"{line.name}: no prediction #{row} is in the log; give the picture "
                        "itself.")
    return {}


def kept_picture(line: Line, row: int) -> np.ndarray:
    """The picture of a logged prediction; raises DataError if it was not kept."""
    known = logged(line, row=row)
    file = PredictionLog(line.log_folder, line.params.monitor).image_file(
        str(known["pixel_hash"] or "none"))
    if not file.is_file():
        raise DataError(f"{line.name}: the picture of prediction #{row} ({known['name']}) was not "
                        "kept; give the picture itself.")
    return read_image(file)


def say(line: Line, image: np.ndarray, statement: Statement, *, name: str = "",
        row: int | None = None, confirmed: bool = False) -> FeedbackEntry:
    """Check what is said of `image`, (H, W) or (H, W, 3) of uint8 or uint16, and keep it.

    row: id of the logged prediction; the last one of this picture if None. What was said of the
    same picture before is replaced. Raises ConfigError or DataError, Contradiction where a person
    is to be asked; nothing is kept then.
    """
    _check(statement, image)
    digest = pixel_hash(image)
    known = logged(line, row=row, digest=digest)
    if row is not None and known["pixel_hash"] != digest:
        raise DataError(f"{line.name}: prediction #{row} is of another picture than the one given; "
                        "give one of both.")
    entry = _entry(statement, image, digest, name, known)
    before = next((one for one in entries_in(line.feedback) if one.id == entry.id), None)
    admit(line, entry, image, before, confirmed=confirmed)
    with scratch() as folder:
        (Path(folder) / entry.picture).write_bytes(png_bytes(image))
        if entry.verdict == GOOD:
            check_fits(line, Path(folder), entry)
    keep(line.feedback, entry, image, statement.mask)
    return entry


def _check(statement: Statement, image: np.ndarray) -> None:
    if statement.verdict not in (GOOD, DEFECT):
        raise ConfigError(f"verdict {statement.verdict[:40]!r}: expected good or defect.")
    if statement.verdict == GOOD and (statement.defect_type or statement.mask is not None):
        raise ConfigError("a good picture has neither a defect type nor a mask; leave them out, or "
                          "say defect.")
    if statement.defect_type == GOOD:
        raise ConfigError("defect type 'good': expected the name of a defect.")
    for title in ("defect_type", "who", "why", "part"):
        text = getattr(statement, title)
        if len(text) > LONGEST_TEXT or (not text.isprintable() and title != "why"):
            raise ConfigError(f"{title}: expected at most {LONGEST_TEXT} printable characters.")
    if statement.mask is not None:
        if statement.mask.shape != image.shape[:2]:
            given, wanted = ("×".join(map(str, one[1::-1])) for one in
                             (statement.mask.shape, image.shape))
            raise DataError(f"expected a mask of {wanted} px as the picture is, received "
                            f"{given} px.")
        if not statement.mask.any():
            raise DataError("the mask is empty: draw the defect, or give no mask.")


def _entry(statement: Statement, image: np.ndarray, digest: str, name: str,
           known: dict[str, object]) -> FeedbackEntry:
    then = {key: known[key] for key in _LOGGED} if known else {}
    figures = {key: float(value) if isinstance(value := then.get(key), float)
               and np.isfinite(value) else None for key in ("score", "threshold")}
    defect = statement.verdict == DEFECT
    return FeedbackEntry(
        id=digest[:ID_LENGTH], sha256=digest, verdict=DEFECT if defect else GOOD,
        defect_type=(statement.defect_type or DEFECT) if defect else GOOD,
        name=name or str(then.get("name", "")) or digest[:ID_LENGTH],
        part=statement.part or str(known.get("part") or ""), who=statement.who, why=statement.why,
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        model_version=str(then.get("model", "")), decision=str(then.get("decision", "")),
        mask_sha256="" if statement.mask is None else mask_hash(statement.mask),
        width=image.shape[1], height=image.shape[0],
        channels=1 if image.ndim == 2 else 3, bit_depth=8 * image.dtype.itemsize, **figures)


def keep(folder: Path, entry: FeedbackEntry, image: np.ndarray, mask: np.ndarray | None) -> None:
    """The JSON file last: an entry without it does not count."""
    with atomic_file(folder / entry.picture) as temporary:
        temporary.write_bytes(png_bytes(image))
    if mask is not None and entry.mask:
        with atomic_file(folder / entry.mask) as temporary:
            temporary.write_bytes(png_bytes(mask.astype(np.uint8) * 255))
    write_json(folder / f"{entry.id}.json", entry.model_dump(mode="json"))
