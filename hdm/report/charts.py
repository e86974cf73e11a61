"""Curves and the score histogram of an evaluation, drawn as inline SVG."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from hdm.drawing.svg import DEFECT, GOOD, INK, RULE, svg


def roc_chart(image: pd.DataFrame, pixel: pd.DataFrame,
              operating_point: tuple[float, float] | None) -> str:
    """ROC curves; `operating_point` is (false-alarm rate, recall) at the threshold."""
    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=RULE, linewidth=1)
        _curve(axes, pixel, "pixels", DEFECT)
        _curve(axes, image, "images", GOOD)
        if operating_point:
            axes.plot(*operating_point, "o", color=INK, markersize=6, clip_on=False, zorder=5,
                      label="at the threshold")
        _share_axes(axes, "false-positive rate", "true-positive rate", 1.0)
        axes.legend(loc="lower right")
    return svg("roc", "ROC curves of images and pixels", draw)


def pr_chart(image: pd.DataFrame, pixel: pd.DataFrame) -> str:
    """Precision against recall."""
    def draw(axes: Axes) -> None:
        _curve(axes, pixel, "pixels", DEFECT)
        _curve(axes, image, "images", GOOD)
        _share_axes(axes, "recall", "precision", 1.0)
        axes.legend(loc="lower left")
    return svg("pr", "Precision-recall curves of images and pixels", draw)


def pro_chart(pro: pd.DataFrame, limit: float) -> str:
    """Mean per-region overlap against false-positive rate up to the limit."""
    def draw(axes: Axes) -> None:
        _curve(axes, pro, "defect regions", DEFECT)
        axes.fill_between(pro.iloc[:, 0], pro.iloc[:, 1], color=DEFECT, alpha=0.12, linewidth=0)
        _share_axes(axes, "false-positive rate of pixels", "covered share of each region", limit)
    return svg("pro", "Per-region overlap curve", draw)


def histogram_chart(histogram: pd.DataFrame, threshold: float) -> str:
    """Image scores of good and defective images and the threshold between them."""
    def draw(axes: Axes) -> None:
        for label, colour in (("good", GOOD), ("defect", DEFECT)):
            part = histogram[histogram["label"] == label]
            if part["images"].sum():
                edges = [*part["low"], part["high"].iloc[-1]]
                axes.stairs(part["images"], edges, fill=True, color=colour, alpha=0.45)
                axes.stairs(part["images"], edges, color=colour, linewidth=1.2, label=label)
        axes.axvline(threshold, color=INK, linewidth=1.4, linestyle=(0, (4, 3)),
                     label=f"threshold {threshold:.4g}")
        axes.set(xlabel="image score", ylabel="images")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return svg("histogram", "Histogram of image scores with the threshold", draw)


def operating_chart(curve: pd.DataFrame, threshold: float) -> str:
    """Expected false alarms and escapes at each threshold, and the cost where it is stated."""
    def draw(axes: Axes) -> None:
        axes.plot(curve["threshold"], curve["false_alarm_rate"], color=GOOD, label="false alarms")
        axes.plot(curve["threshold"], curve["escape_rate"], color=DEFECT, label="escapes")
        if curve["cost"].notna().any():
            axes.plot(curve["threshold"], curve["cost"] / curve["cost"].max(), color=INK,
                      label="cost / highest")
        axes.axvline(threshold, color=INK, linewidth=1.4, linestyle=(0, (4, 3)))
        axes.set(xlabel="threshold", ylabel="expected share", ylim=(0, 1.0))
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return svg("operating", "Expected false alarms and escapes by threshold", draw)


def _curve(axes: Axes, curve: pd.DataFrame, label: str, colour: str) -> None:
    if len(curve):
        axes.plot(curve.iloc[:, 0], curve.iloc[:, 1], color=colour, label=label, clip_on=False)


def _share_axes(axes: Axes, across: str, up: str, limit: float) -> None:
    axes.set(xlabel=across, ylabel=up, xlim=(0, limit), ylim=(0, 1.0))
