"""Charts as inline SVG that take their colours from the page's CSS.

Drawn with stand-in colours, which are then replaced by CSS variables: one picture serves light,
dark and print. Text stays text.
"""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_VARIABLES = {"#010101": "--ink", "#020202": "--faint", "#030303": "--rule", "#040404": "--good",
              "#050505": "--defect", "#060606": "--paper"}
INK, FAINT, RULE, GOOD, DEFECT, PAPER = _VARIABLES
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "font.size": 10, "axes.edgecolor": RULE, "axes.labelcolor": FAINT,
    "text.color": INK, "xtick.color": RULE, "ytick.color": RULE, "xtick.labelcolor": FAINT,
    "ytick.labelcolor": FAINT, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.color": RULE, "grid.linewidth": 0.6, "axes.axisbelow": True,
    "legend.frameon": False, "lines.linewidth": 1.8, "axes.linewidth": 0.8,
}
_SIZE = (5.2, 3.7)


@dataclass(frozen=True)
class Chart:
    """An inline SVG, as `svg` makes it."""

    title: str
    svg: str
    caption: str


def svg(name: str, description: str, *panels: Callable[[Axes], None],
        heights: Sequence[float] | None = None) -> str:
    """An <svg> element for use inside HTML; ids carry `name` so that charts do not mix.

    panels: what draws each of the axes that stand above one another and share theirs across.
    """
    with matplotlib.rc_context(_STYLE | {"svg.hashsalt": name}):
        figure = Figure(figsize=_SIZE, layout="constrained")
        figure.patch.set_alpha(0)
        grid = figure.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=heights)
        for axes, draw in zip(grid[:, 0], panels, strict=True):
            axes.patch.set_alpha(0)
            draw(axes)
        figure.align_ylabels()
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
