"""What one look at a line found, as plain values for JSON."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from hdm.detector.operating_point import OperatingPoint
from hdm.monitoring.drift import DEFECTS, RECENT, UNDECIDABLE, Stream
from hdm.settings import Monitor

INTERVAL = 0.95
HIGHEST = 12.0
"""Capital is stated as its decimal logarithm, and no higher than this."""

State = Literal["steady", "drift", "idle"]


def idle(line: str, model: str | None, sentence: str, now: float) -> dict[str, Any]:
    """The record of a line that there is nothing to say of yet; `sentence` says why."""
    return {"line": line, "model": model, "time": utc(now), "state": "idle", "sentence": sentence,
            "images": 0, "parts": 0, "doubt": "", "streams": [], "shares": {}}


def record(line: str, model: str, rows: pd.DataFrame, counted: pd.DataFrame,
           streams: tuple[Stream, ...], point: OperatingPoint, settings: Monitor,
           defect_rate: float | None, now: float, *, parts: int, doubt: str) -> dict[str, Any]:
    """The record of one look.

    rows: all that is logged of the model. counted: those that the streams were made of, of `parts`
    parts. doubt: why the stated rate of false alarms cannot be promised, "" where it can.
    """
    times = dict(zip(counted["id"], counted["time"], strict=True))
    told = [_stream(stream, times) for stream in streams]
    alarms = [stream for stream in told if stream["alarm"]]
    found = [f"{stream['says']} since {moment(stream['began']['time'])}" for stream in alarms]
    if any(stream["name"] == UNDECIDABLE for stream in alarms):
        codes = (code.replace("_", " ") for code in commonest(counted))
        found.append(f"most often undecidable: {', '.join(codes)}")
    what = "; ".join(found) if found else f"no change in {len(counted):,} images"
    return {
        "line": line, "model": model, "time": utc(now),
        "state": "drift" if alarms else "steady",
        "sentence": f"{line}, version {model}: {what}.",
        "images": len(counted), "parts": parts, "doubt": doubt,
        "first": utc(counted["time"].iloc[0]),
        "last": utc(counted["time"].iloc[-1]),
        "judged_again": int((rows["pixel_hash"].notna() & rows["pixel_hash"].duplicated()).sum()),
        "threshold": point.threshold, "alarm_rate": settings.false_alarm_rate,
        "streams": told,
        "shares": {
            DEFECTS: _share((counted["score"] > point.threshold).sum(),
                            (counted["decision"] != UNDECIDABLE).sum(),
                            None if defect_rate is None else point.false_alarm_rate + defect_rate),
            UNDECIDABLE: _share((counted["decision"] == UNDECIDABLE).sum(), len(counted),
                                settings.undecidable_share)}}


def commonest(rows: pd.DataFrame, most: int = 3) -> list[str]:
    """The codes by which the newest undecidable rows mostly are."""
    told = rows.loc[rows["decision"] == UNDECIDABLE, "reasons"].tail(RECENT)
    codes = Counter(code for text in told for code in json.loads(text))
    return [code for code, _ in codes.most_common(most)]


def utc(seconds: float) -> str:
    """A time as ISO 8601 to the second, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(time: str) -> str:
    """A time as `utc` gives it, for people."""
    return f"{time[:10]} {time[11:16]} UTC"


def _stream(stream: Stream, times: dict[int, float]) -> dict[str, Any]:
    evidence = np.minimum(stream.evidence / np.log(10), HIGHEST)

    def at(number: int | None) -> dict[str, Any] | None:
        if number is None:
            return None
        row = int(stream.rows[number])
        return {"row": row, "time": utc(times[row])}

    return {"name": stream.name, "alarm": stream.alarm, "says": stream.says,
            "images": len(stream.rows), "level": stream.level, "expected": stream.expected,
            "evidence": float(evidence[-1]) if len(evidence) else 0.0,
            "highest": float(evidence.max()) if len(evidence) else 0.0,
            "limit": stream.limit / float(np.log(10)),
            "crossed": at(stream.crossed), "began": at(stream.began)}


def _share(count: int, total: int, expected: float | None) -> dict[str, Any]:
    """A share with its binomial interval (Clopper and Pearson 1934)."""
    if not total:
        return {"count": 0, "of": 0, "share": None, "low": None, "high": None,
                "expected": expected}
    interval = binomtest(int(count), int(total)).proportion_ci(INTERVAL)
    return {"count": int(count), "of": int(total), "share": float(count / total),
            "low": float(interval.low), "high": float(interval.high), "expected": expected}
