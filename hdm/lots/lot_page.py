"""Pages of a report: fonts that show every name harmlessly, headings, tables, page numbers."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace, TTFFont

from hdm.terminal import harmless

FONT = "DejaVu"
MARGIN = 16.0
INK, FAINT, RULE = (28, 32, 38), (106, 114, 126), (200, 204, 210)
LONGEST = 160
"""Characters of a name or sentence in a cell; the whole of it is in the table of results."""


class Pages(FPDF):
    """A4, upright. foot: what stands below every page beside its number."""

    def __init__(self, title: str, foot: str) -> None:
        super().__init__(format="A4")
        fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
        self.add_font(FONT, "", fonts / "DejaVuSans.ttf")
        self.add_font(FONT, "B", fonts / "DejaVuSans-Bold.ttf")
        self.foot = foot
        self.set_margin(MARGIN)
        self.set_auto_page_break(True, 20)
        self.set_title(self.shown(title))
        self.set_text_color(*INK)

    def footer(self) -> None:
        """Called by fpdf2 for every page."""
        self.set_y(-14)
        self.set_font(FONT, "", 7.5)
        self.set_text_color(*FAINT)
        self.cell(self.epw * 0.8, 5, shortened(self.shown(self.foot), 110))
        self.cell(0, 5, f"page {self.page_no()} of {{nb}}", align="R")
        self.set_text_color(*INK)

    def shown(self, text: str) -> str:
        """`text` as the font can show it: control characters, and what the font has not, as
        escapes, each line feed as a space."""
        font = self.fonts[FONT.lower()]
        known = font.cmap if isinstance(font, TTFFont) else {}
        return "".join(sign if ord(sign) in known else _escaped(sign)
                       for sign in harmless(" ".join(text.split())))

    def heading(self, text: str, size: float = 12) -> None:
        """A line of its own."""
        self.set_font(FONT, "B", size)
        self.cell(0, size * 0.7, self.shown(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(1)

    def said(self, text: str, size: float = 9) -> None:
        """A paragraph."""
        self.set_font(FONT, "", size)
        self.multi_cell(0, size * 0.55, self.shown(text), align="L",
                        new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(1.5)

    def rows(self, rows: Sequence[Sequence[str]], widths: Sequence[float], *,
             heads: int = 1, right: Sequence[int] = (), size: float = 8.5) -> None:
        """A table over as many pages as it needs, its first `heads` rows on each. widths: in
        proportion. right: columns that are set to the right."""
        self.set_font(FONT, "", size)
        self.set_draw_color(*RULE)
        align = tuple("R" if column in right else "L" for column in range(len(widths)))
        with self.table(col_widths=tuple(widths), text_align=align, num_heading_rows=heads,
                        first_row_as_headings=bool(heads), line_height=size * 0.55, padding=0.8,
                        headings_style=FontFace(emphasis="BOLD", color=INK),
                        borders_layout=TableBordersLayout.HORIZONTAL_LINES) as table:
            for cells in rows:
                row = table.row()
                for cell in cells:
                    row.cell(shortened(self.shown(cell), LONGEST))
        self.ln(3)


def shortened(text: str, longest: int) -> str:
    """Begin and end of what is too long."""
    if len(text) <= longest:
        return text
    return f"{text[:longest * 2 // 3]} … {text[-(longest // 3 - 3):]}"


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")
