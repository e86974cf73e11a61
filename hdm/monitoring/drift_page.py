"""The page of one look: a self-contained HTML file, readable on a phone."""

from typing import Any

from hdm.drawing.html import style, template
from hdm.drawing.svg import Chart
from hdm.monitoring.drift_record import moment

_TITLES = {"drift": "The line has changed", "steady": "No change", "idle": "Nothing to watch yet"}
_STREAMS = {"score": "Score of good images", "brightness": "Brightness", "contrast": "Contrast",
            "sharpness": "Sharpness", "defects": "Called defective",
            "undecidable": "Undecidable"}
_SHARES = ("defects", "undecidable")
NOTHING = "–"


def render(found: dict[str, Any], description: str, drawn: tuple[Chart, ...]) -> str:
    """The page of a record of hdm.monitoring.drift_record; no script, nothing from a network."""
    return template("hdm.monitoring", "drift_page.html.j2").render(
        style=style(), moment=moment, found=found, description=description,
        title=_TITLES[found["state"]],
        charts=drawn,
        rows=[table_row(stream) for stream in found["streams"]],
        shares=[(_STREAMS[name], _share_text(share)) for name, share in found["shares"].items()])


def table_row(stream: dict[str, Any]) -> dict[str, Any]:
    """One stream as text: name, present, expected, evidence, limit, and what it says."""
    share = stream["name"] in _SHARES
    return {"name": _STREAMS[stream["name"]], "now": _level(stream["level"], share),
            "expected": _level(stream["expected"], share),
            "evidence": _odds(stream["highest"]), "limit": _odds(stream["limit"]),
            "alarm": stream["alarm"], "says": stream["says"] or "no change",
            "began": moment(stream["began"]["time"]) if stream["began"] else ""}


def _level(value: float | None, share: bool) -> str:
    if value is None:
        return NOTHING
    return f"{value:.1%}" if share else f"{value:.3g}"


def _odds(exponent: float) -> str:
    """Capital for people."""
    return f"{10**exponent:,.0f}" if exponent < 6 else "over 1,000,000"


def _share_text(share: dict[str, Any]) -> str:
    if share["share"] is None:
        return "none judged yet"
    expected = "" if share["expected"] is None else f"; expected {share['expected']:.1%}"
    return (f"{share['share']:.1%} ({share['count']:,} of {share['of']:,}; 95 % interval "
            f"{share['low']:.1%} to {share['high']:.1%}{expected})")
