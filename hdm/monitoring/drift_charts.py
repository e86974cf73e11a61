"""Charts of a line's predictions in the order they were made, and of the evidence for a change."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import binomtest

from hdm.detector.calibration import Calibration
from hdm.detector.operating_point import OperatingPoint
from hdm.drawing.svg import DEFECT, FAINT, GOOD, INK, RULE, Chart, svg
from hdm.monitoring.drift import DEFECTS, LOOKS, UNDECIDABLE, Stream

BINS = 100
DAYS = 60
TICKS = 4
VERSIONS = 6
_DAY = 86_400
_TITLES = {"score": "Scores of good images", "brightness": "Brightness", "contrast": "Contrast",
           "sharpness": "Sharpness", DEFECTS: "Share called defective",
           UNDECIDABLE: "Share undecidable"}
_FIGURE_CAPTION = ("Median of the images judged good with the range of 80 % of them; grey: 90 % of "
                   "the calibration normals. Below: the evidence of a change, and where it is an "
                   "alarm.")
_SHARE_CAPTION = "Dashed: what is expected, where it was stated. Below: the evidence of a change."
Panel = Callable[[Axes], None]


class Shown(NamedTuple):
    """The rows on the page, and from which of them on the live version judged."""

    rows: pd.DataFrame
    since: int


def charts(rows: pd.DataFrame, calibration: Calibration, point: OperatingPoint,
           streams: tuple[Stream, ...]) -> tuple[Chart, ...]:
    """One chart a stream, and the share called defective by day.

    rows: the newest predictions of all versions. streams: of the live version.
    """
    first = min((int(stream.rows[0]) for stream in streams if len(stream.rows)), default=0)
    shown = Shown(rows, int((rows["id"] < first).sum()))
    below = np.asarray(calibration.normal_scores) < point.threshold
    looks = np.asarray(calibration.appearance, dtype=float).reshape(-1, len(LOOKS))
    reference = {"score": np.asarray(calibration.normal_scores)[below],
                 **dict(zip(LOOKS, looks[below].T, strict=True))}
    found = []
    for stream in streams:
        share = stream.name in (DEFECTS, UNDECIDABLE)
        above = _share_panel(shown, stream) if share else \
            _figure_panel(shown, stream.name, reference[stream.name])
        title = _TITLES[stream.name]
        drawn = svg(f"trend-{stream.name}", f"{title} over time, and the evidence of a change",
                    above, _evidence_panel(shown, stream), heights=(2, 1))
        found.append(Chart(title, drawn, _SHARE_CAPTION if share else _FIGURE_CAPTION))
    days = svg("days", "Share called defective by day", _days_panel(rows))
    return (*found, Chart("Share called defective by day", days,
                          "Days in UTC, with 95 % intervals."))


def _figure_panel(shown: Shown, name: str, reference: np.ndarray) -> Panel:
    good = (shown.rows["decision"] == "good").to_numpy()
    where, values = np.flatnonzero(good), shown.rows[name].to_numpy(float)[good]

    def draw(axes: Axes) -> None:
        if len(reference):
            axes.fill_between([shown.since, len(shown.rows)], *np.quantile(reference, (0.05, 0.95)),
                              color=RULE, alpha=0.7, linewidth=0)
        if len(values):
            middle, low, high = _binned(where, values)
            axes.fill_between(middle[0], low[1], high[1], color=GOOD, alpha=0.2, linewidth=0)
            axes.plot(*middle, color=GOOD)
        axes.set_ylabel(name)
        _across(axes, shown, named=True)
    return draw


def _share_panel(shown: Shown, stream: Stream) -> Panel:
    decision = shown.rows["decision"]
    asked = np.full(len(decision), True) if stream.name == UNDECIDABLE else \
        (decision != UNDECIDABLE).to_numpy()
    wanted = "defect" if stream.name == DEFECTS else UNDECIDABLE
    where, events = np.flatnonzero(asked), (decision == wanted).to_numpy(float)[asked]

    def draw(axes: Axes) -> None:
        if len(events):
            parts = np.array_split(np.arange(len(events)), min(BINS // 4, len(events)))
            axes.step([where[part].mean() for part in parts],
                      [events[part].mean() for part in parts], where="mid", color=GOOD)
        if stream.expected is not None:
            axes.axhline(stream.expected, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_ylim(bottom=0)
        axes.set_ylabel("share")
        _across(axes, shown, named=True)
    return draw


def _evidence_panel(shown: Shown, stream: Stream) -> Panel:
    places = np.searchsorted(shown.rows["id"].to_numpy(), stream.rows)
    inside = np.isin(stream.rows, shown.rows["id"].to_numpy())
    limit = stream.limit / np.log(10)

    def draw(axes: Axes) -> None:
        evidence = np.clip(stream.evidence / np.log(10), -1, 2 * limit)[inside]
        where = places[inside]
        if len(where):
            # Of many values the highest are drawn, as it is these that reach the limit.
            parts = np.array_split(np.arange(len(where)), min(4 * BINS, len(where)))
            axes.plot([where[part[-1]] for part in parts],
                      [evidence[part].max() for part in parts],
                      color=DEFECT if stream.alarm else GOOD, linewidth=1.2)
        axes.axhline(limit, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        levels = list(range(0, 2 * round(limit) + 1, 2))
        axes.set_yticks(levels, [f"{10**level:,}" for level in levels])
        axes.set(ylabel="evidence", ylim=(-1, 2 * limit))
        _across(axes, shown, named=False)
    return draw


def _days_panel(rows: pd.DataFrame) -> Panel:
    judged = rows[rows["decision"] != UNDECIDABLE]
    days = (judged["time"] // _DAY).astype("int64")
    counts = (judged["decision"] == "defect").groupby(days).agg(["sum", "size"]).tail(DAYS)

    def draw(axes: Axes) -> None:
        places = np.arange(len(counts))
        shares = (counts["sum"] / counts["size"]).to_numpy()
        ends = np.array([binomtest(int(k), int(n)).proportion_ci(0.95)
                         for k, n in counts.itertuples(index=False)]).reshape(-1, 2)
        axes.bar(places, shares, color=GOOD, width=0.7, alpha=0.55)
        axes.vlines(places, ends[:, 0], ends[:, 1], color=INK, linewidth=1)
        chosen = sorted({round(place) for place in np.linspace(0, len(counts) - 1, TICKS + 1)
                         if len(counts)})
        axes.set_xticks(chosen, [_date(counts.index[place] * _DAY, "%d %b") for place in chosen])
        axes.set(ylabel="share", ylim=(0, None))
        axes.grid(False, axis="x")
    return draw


def _across(axes: Axes, shown: Shown, *, named: bool) -> None:
    """Versions and dates; images stand in the order they were judged, whatever the clock said."""
    rows = shown.rows
    begun = np.flatnonzero(~rows["model"].duplicated())[-VERSIONS:]
    for place in begun:
        if place:
            axes.axvline(place, color=FAINT, linewidth=1, linestyle=(0, (1, 2)))
        if named:
            axes.text(place, 1.02, f" {rows['model'].iloc[place]}", color=FAINT, fontsize=8,
                      transform=axes.get_xaxis_transform())
    axes.set_xlim(0, max(len(rows) - 1, 1))
    ticks = np.unique(np.linspace(0, len(rows) - 1, TICKS).round().astype(int))
    span = float(rows["time"].max() - rows["time"].min())
    form = "%d %b" if span > TICKS * _DAY else "%d %b %H:%M"
    axes.set_xticks(ticks, [_date(rows["time"].iloc[tick], form) for tick in ticks])
    for label in axes.get_xticklabels()[:1]:
        label.set_horizontalalignment("left")
    for label in axes.get_xticklabels()[1:][-1:]:
        label.set_horizontalalignment("right")


def _binned(where: np.ndarray, values: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Places and median, 10 % and 90 % quantile of at most BINS runs of values."""
    parts = np.array_split(np.arange(len(values)), min(BINS, len(values)))
    places = np.array([where[part].mean() for part in parts])
    levels = np.array([np.quantile(values[part], (0.5, 0.1, 0.9)) for part in parts]).T
    return tuple((places, level) for level in levels)


def _date(seconds: float, form: str) -> str:
    return datetime.fromtimestamp(float(seconds), UTC).strftime(form)
