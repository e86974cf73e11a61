"""Curves and counts of an evaluation as matplotlib figures, for places that show PNG alone."""

import matplotlib

matplotlib.use("Agg")
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

INK, GREY, BLUE, RED = "#1b1f24", "#9aa3ad", "#1f5fa8", "#b3261e"
SIZE = (5.6, 4.4)
DPI = 110


def roc_picture(curve: pd.DataFrame, area: float | None, point: tuple[float, float] | None
                ) -> Figure:
    """curve: columns false_positive_rate, true_positive_rate. point: at the threshold."""
    figure = _curve(curve["false_positive_rate"], curve["true_positive_rate"], point,
                    "Pictures: ROC" + ("" if area is None else f", area {area:.4f}"),
                    "good pictures stopped", "defective pictures stopped")
    figure.axes[0].plot([0, 1], [0, 1], color=GREY, linewidth=1, zorder=1)
    return figure


def pr_picture(curve: pd.DataFrame, area: float | None, point: tuple[float, float] | None
               ) -> Figure:
    """curve: columns recall, precision. point: at the threshold."""
    return _curve(curve["recall"], curve["precision"], point, "Pictures: precision and recall" + (
        "" if area is None else f", AP {area:.4f}"), "recall", "precision")


def confusion_picture(counts: pd.DataFrame) -> Figure:
    """counts: pictures by truth (rows) and answer (columns)."""
    figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained")
    axes = figure.subplots()
    shares = counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.4, aspect="auto")
    for row, truth in enumerate(counts.index):
        for column, answer in enumerate(counts.columns):
            # Whatever is not good is stopped.
            wrong = (truth == "good") != (answer == "good") and counts.iloc[row, column] > 0
            axes.text(column, row, f"{counts.iloc[row, column]:,}\n{shares.iloc[row, column]:.1%}",
                      ha="center", va="center", color=RED if wrong else INK, fontsize=12)
    axes.set_xticks(range(len(counts.columns)), list(counts.columns))
    axes.set_yticks(range(len(counts.index)), list(counts.index))
    axes.set_xlabel("answer at the threshold")
    axes.set_ylabel("truth")
    axes.set_title("Test pictures", fontsize=11)
    return figure


def _curve(x: pd.Series, y: pd.Series, point: tuple[float, float] | None, title: str, across: str,
           up: str) -> Figure:
    figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained")
    axes = figure.subplots()
    axes.plot(x, y, color=BLUE, linewidth=2, zorder=2)
    if point:
        axes.plot(*point, "o", color=RED, clip_on=False, zorder=3,
                  label=f"at the threshold: {point[0]:.1%}, {point[1]:.1%}")
        axes.legend(loc="lower right" if title.startswith("Pictures: ROC") else "lower left",
                    frameon=False)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0))
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel=across, ylabel=up)
    axes.set_title(title, fontsize=11)
    axes.grid(color=GREY, alpha=0.3, linewidth=0.6)
    return figure
