"""One look at a line: what its log says of the live model, as status.json and a page."""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from hdm.detector.calibration import Calibration
from hdm.detector.operating_point import OPERATING_POINT_FILE, OperatingPoint
from hdm.errors import HDMError
from hdm.files import read_json, write_json, write_text
from hdm.line import TRAINED, Line
from hdm.monitoring.drift import counted, watch
from hdm.monitoring.drift_charts import charts
from hdm.monitoring.drift_page import render
from hdm.monitoring.drift_record import idle, record
from hdm.monitoring.part_values import by_part, doubt
from hdm.monitoring.prediction_log import PredictionLog
from hdm.registry.address import tracking_off
from hdm.registry.detector_files import assembled
from hdm.registry.fetch import fetch, live_version
from hdm.registry.mlflow_uris import model_uri

STATUS, PAGE = "status.json", "index.html"
SHOWN = 20_000
"""Newest predictions that the page shows."""


class Live(NamedTuple):
    """The detector that serves: its version, and what it knows of good parts."""

    model: str
    calibration: Calibration
    point: OperatingPoint


def check_line(line: Line, clock: Callable[[], float] = time.time) -> dict[str, Any]:
    """Look once, write status.json and index.html into `line.monitor_folder`, return the record.

    Raises RegistryError or HDMError if registry, detector or log cannot be used.
    """
    settings, now = line.params.monitor, clock()
    log = PredictionLog(line.log_folder, settings, clock)
    live = live_model(line)
    if live is None:
        return _write(line, idle(line.name, None, f"{line.name} has no model in service yet; "
                                 f"`hdm run {line.name}` trains one.", now))
    log.prune()
    rows = log.read(live.model)
    mine = counted(rows, live.point.threshold)
    if mine.empty:
        return _write(line, idle(
            line.name, live.model, f"no predictions of {line.name}, version {live.model}, are "
            f"logged yet; `hdm serve {line.name}` and `hdm predict {line.name} --log` log them.",
            now))
    defect_rate = line.params.evaluate.operating_point.defect_rate
    streams = watch(live.calibration, live.point, mine, settings.false_alarm_rate,
                    settings.undecidable_share, defect_rate)
    found = record(line.name, live.model, rows, mine, streams, live.point, settings, defect_rate,
                   now, parts=len(by_part(mine, live.calibration)),
                   doubt=doubt(mine, live.calibration))
    return _write(line, found, charts(log.read(last=SHOWN), live.calibration, live.point, streams))


def live_model(line: Line) -> Live | None:
    """The champion, or without MLflow the detector that was trained last; None if there is none."""
    if tracking_off():
        with assembled(line) as own:
            return _read(TRAINED, own) if own.is_dir() else None
    version = live_version(line)
    if version is None:
        return None
    with TemporaryDirectory(prefix="hdm-monitor-") as folder:
        return _read(version, fetch(line, model_uri(line.model_name, version),
                                    Path(folder)).folder)


def _read(model: str, folder: Path) -> Live:
    """What `HDM.load` reads, without the network, which takes seconds to load."""
    try:
        calibration = Calibration.from_dict(read_json(folder / "detector.json")["calibration"])
    except (KeyError, TypeError, ValueError):
        raise HDMError(f"expected a calibrated detector in {folder}, found another; restore it "
                       "with `dvc checkout` or train again.") from None
    return Live(model, calibration, OperatingPoint.load(folder / OPERATING_POINT_FILE))


def _write(line: Line, found: dict[str, Any], drawn: Any = ()) -> dict[str, Any]:
    write_text(line.monitor_folder / PAGE, render(found, line.entry.description, drawn))
    write_json(line.monitor_folder / STATUS, found)
    return found
