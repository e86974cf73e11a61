"""What a report says beside the measurements: threshold, settings, and where it all comes from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hdm import git
from hdm.dataset.test_set import in_words
from hdm.detector.detector import HDM
from hdm.detector.operating_point import curve
from hdm.detector.promise import promise, stands_on_one
from hdm.files import read_json
from hdm.line import Line
from hdm.report.content import Background
from hdm.report.wording import ThresholdFacts, percent
from hdm.settings import Params


def background(line: Line, detector: HDM, settings: Params, test_set: Mapping[str, Any],
               hidden: int = 0) -> Background:
    """Of a line's detector and of what earlier stages said; hidden: defective test images that
    are not counted, as their defect is ignored."""
    calibration = detector.calibration
    point, wanted = detector.operating_point, settings.evaluate.operating_point
    threshold = ThresholdFacts(point.false_alarm_rate, len(calibration.normal_scores),
                               calibration.smallest_rate, point.certified,
                               wanted.costs, point.escape_rate, point.cost, point.parts,
                               promise(point), point.picture_rate)
    return Background(
        line=line.name, description=line.entry.description, threshold=threshold,
        operating_curve=curve(calibration, wanted),
        # Of what these two say nothing here depends, and so the page would show them outdated.
        configuration=line.params.model_dump(mode="json", by_alias=True,
                                             exclude={"validate_", "register_"}),
        facts=_facts(line, detector.info, test_set),
        remarks=_remarks(detector, hidden),
        funnel=_optional(line.stage_folder("pom_filter") / "funnel.json"),
        split_table=_optional(line.stage_folder("ingest") / "split_table.json"))


def _remarks(detector: HDM, hidden: int) -> tuple[str, ...]:
    """What is not inspected, and what the threshold stands on."""
    alone = stands_on_one(detector.calibration, detector.operating_point)
    held_up = (alone,) if alone else ()
    mask = detector.form.ignore_mask
    if mask is None:
        return held_up
    said = (f"{percent(mask.share)} of each picture is not inspected, by the line's region; it is "
            "hatched in the pictures and has no part in any figure.")
    left_out = (f" {hidden} defective test images, whose defect lies there alone, are left out."
                if hidden else "")
    return (said + left_out, *held_up)


def _facts(line: Line, info: Mapping[str, Any], test_set: Mapping[str, Any],
           ) -> tuple[tuple[str, str], ...]:
    """Where the numbers come from."""
    named = {"Product line": line.name, "Owner": line.entry.owner,
             "Test set": in_words(test_set),
             "Registered model": line.model_name, "Git commit": git.commit(line.project)}
    known = {str(key).replace("_", " ").capitalize(): _plain(value) for key, value in info.items()}
    return tuple((key, text) for key, text in {**known, **named}.items() if text)


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " × ".join(_plain(part) for part in value)
    if value is None or isinstance(value, dict):
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _optional(file: Path) -> Any:
    return read_json(file) if file.is_file() else None
