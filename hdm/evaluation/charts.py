"""Curves and the score histogram as inline SVG that takes its colours from the page's CSS.

Drawn with stand-in colours, which are then replaced by CSS variables: one picture serves light,
dark and print. Text stays text.
"""

import io
import re
from collections.abc import Callable
from typing import Any

import matplotlib
import pandas as pd

matplotlib.use("Agg")
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

_VARIABLES = {"#010101": "--ink", "#020202": "--faint", "#030303": "--rule", "#040404": "--good",
              "#050505": "--defect", "#060606": "--paper"}
_INK, _FAINT, _RULE, _GOOD, _DEFECT, _PAPER = _VARIABLES
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "font.size": 10, "axes.edgecolor": _RULE, "axes.labelcolor": _FAINT,
    "text.color": _INK, "xtick.color": _RULE, "ytick.color": _RULE, "xtick.labelcolor": _FAINT,
    "ytick.labelcolor": _FAINT, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.color": _RULE, "grid.linewidth": 0.6, "axes.axisbelow": True,
    "legend.frameon": False, "lines.linewidth": 1.8, "axes.linewidth": 0.8,
}
_SIZE = (5.2, 3.7)


def roc_chart(image: pd.DataFrame, pixel: pd.DataFrame,
              operating_point: tuple[float, float] | None) -> str:
    """ROC curves; `operating_point` is (false-alarm rate, recall) at the threshold."""
    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=_RULE, linewidth=1)
        _curve(axes, pixel, "pixels", _DEFECT)
        _curve(axes, image, "images", _GOOD)
        if operating_point:
            axes.plot(*operating_point, "o", color=_INK, markersize=6, clip_on=False, zorder=5,
                      label="at the threshold")
        _share_axes(axes, "false-positive rate", "true-positive rate", 1.0)
        axes.legend(loc="lower right")
    return _svg("roc", "ROC curves of images and pixels", draw)


def pr_chart(image: pd.DataFrame, pixel: pd.DataFrame) -> str:
    """Precision against recall."""
    def draw(axes: Axes) -> None:
        _curve(axes, pixel, "pixels", _DEFECT)
        _curve(axes, image, "images", _GOOD)
        _share_axes(axes, "recall", "precision", 1.0)
        axes.legend(loc="lower left")
    return _svg("pr", "Precision-recall curves of images and pixels", draw)


def pro_chart(pro: pd.DataFrame, limit: float) -> str:
    """Mean per-region overlap against false-positive rate up to the limit."""
    def draw(axes: Axes) -> None:
        _curve(axes, pro, "defect regions", _DEFECT)
        axes.fill_between(pro.iloc[:, 0], pro.iloc[:, 1], color=_DEFECT, alpha=0.12, linewidth=0)
        _share_axes(axes, "false-positive rate of pixels", "covered share of each region", limit)
    return _svg("pro", "Per-region overlap curve", draw)


def histogram_chart(histogram: pd.DataFrame, threshold: float) -> str:
    """Image scores of good and defective images and the threshold between them."""
    def draw(axes: Axes) -> None:
        for label, colour in (("good", _GOOD), ("defect", _DEFECT)):
            part = histogram[histogram["label"] == label]
            if part["images"].sum():
                edges = [*part["low"], part["high"].iloc[-1]]
                axes.stairs(part["images"], edges, fill=True, color=colour, alpha=0.45)
                axes.stairs(part["images"], edges, color=colour, linewidth=1.2, label=label)
        axes.axvline(threshold, color=_INK, linewidth=1.4, linestyle=(0, (4, 3)),
                     label=f"threshold {threshold:.4g}")
        axes.set(xlabel="image score", ylabel="images")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return _svg("histogram", "Histogram of image scores with the threshold", draw)


def operating_chart(curve: pd.DataFrame, threshold: float) -> str:
    """Expected false alarms and escapes at each threshold, and the cost where it is stated."""
    def draw(axes: Axes) -> None:
        axes.plot(curve["threshold"], curve["false_alarm_rate"], color=_GOOD, label="false alarms")
        axes.plot(curve["threshold"], curve["escape_rate"], color=_DEFECT, label="escapes")
        if curve["cost"].notna().any():
            axes.plot(curve["threshold"], curve["cost"] / curve["cost"].max(), color=_INK,
                      label="cost / highest")
        axes.axvline(threshold, color=_INK, linewidth=1.4, linestyle=(0, (4, 3)))
        axes.set(xlabel="threshold", ylabel="expected share", ylim=(0, 1.0))
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return _svg("operating", "Expected false alarms and escapes by threshold", draw)


def _curve(axes: Axes, curve: pd.DataFrame, label: str, colour: str) -> None:
    if len(curve):
        axes.plot(curve.iloc[:, 0], curve.iloc[:, 1], color=colour, label=label, clip_on=False)


def _share_axes(axes: Axes, across: str, up: str, limit: float) -> None:
    axes.set(xlabel=across, ylabel=up, xlim=(0, limit), ylim=(0, 1.0))


def _svg(name: str, description: str, draw: Callable[[Axes], None]) -> str:
    """An <svg> element for use inside HTML; ids carry `name` so that charts do not mix."""
    with matplotlib.rc_context(_STYLE | {"svg.hashsalt": name}):
        figure = Figure(figsize=_SIZE, layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0)
        draw(axes)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None})
    text = stream.getvalue()
    text = text[text.index("<svg"):]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r'<svg [^>]*?(viewBox="[^"]*")[^>]*>',
                  rf'<svg \1 role="img" aria-label="{description}">', text, count=1)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r" font-family: [^;\"]*;", "", text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    return text
