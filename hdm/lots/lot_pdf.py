"""The report of a lot as PDF: a page to sign, the pictures that are not good, and a look at them.

fpdf2 breaks tables over pages, embeds the letters that are used so that text can be selected and
searched, and is pure Python; matplotlib's PDF pages would be laid out by hand.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from PIL import Image

from hdm import __version__
from hdm.dataset import outside
from hdm.errors import DataError
from hdm.files import atomic_file
from hdm.lots.lot_figures import Lot
from hdm.lots.lot_page import FAINT, FONT, INK, MARGIN, Pages, shortened
from hdm.lots.lot_results import Judged

LARGEST = 640
"""Longer side in px of a picture in the report."""
_COLUMNS, _GAP, _TALLEST, _CAPTION = 3, 5.0, 76.0, 8.0
"""Pictures beside each other; mm between them, of the tallest one and of the lines below it."""


def write_report(lot: Lot, description: str, promises: Mapping[str, str],
                 sources: Mapping[Path, str], target: Path, pictures: int) -> None:
    """Write the report.

    promises: by version, what is promised of false alarms. sources: by table, its SHA-256.
    pictures: of so many pictures that are not good the overlay is shown, highest score first.
    Raises HDMError where the file cannot be written.
    """
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    title = f"Lot {lot.name}" if lot.name else "Lot without a name"
    pages = Pages(title, f"{lot.line} · {title} · made {now} by HDM {__version__}")
    pages.add_page()
    pages.set_font(FONT, "B", 17)
    pages.multi_cell(0, 8, shortened(pages.shown(title), 120), align="L")
    pages.ln(10)
    _facts(pages, lot, description)
    _counts(pages, lot)
    _versions(pages, lot, promises)
    _sign(pages)
    _sources(pages, sources)
    if lot.not_good:
        pages.add_page()
        _list(pages, lot.not_good)
        _show(pages, lot.not_good, pictures)
    with atomic_file(target) as temporary:
        pages.output(str(temporary))


def _facts(pages: Pages, lot: Lot, description: str) -> None:
    facts = [("Line", lot.line)]
    if description:
        facts.append(("Description", description))
    facts.append(("Lot", lot.name or "not named"))
    span, timeless = lot.span, sum(not one.time for one in lot.pictures)
    when = f"{_moment(span[0])} to {_moment(span[1])} UTC" if span else "the tables do not say when"
    facts.append(("Judged", when + (
        f"; of {timeless:,} pictures the tables do not say when" if span and timeless else "")))
    pages.rows(facts, (25, 75), heads=0)


def _counts(pages: Pages, lot: Lot) -> None:
    counts, parts = lot.counts(), lot.parts()
    kinds = [kind for kind in counts if counts[kind] or kind != "unreadable"]
    rows = [["", *kinds, "together"],
            ["pictures", *(f"{counts[kind]:,}" for kind in kinds), f"{sum(counts.values()):,}"]]
    if parts:
        rows.append(["parts", *(f"{parts[kind]:,}" for kind in kinds), f"{sum(parts.values()):,}"])
    pages.heading("What was found")
    pages.rows(rows, [22, *[16] * (len(kinds) + 1)], right=range(1, len(kinds) + 2), size=9.5)
    unknown = sum(not one.part for one in lot.pictures)
    if parts:
        rest = f" Of {unknown:,} pictures the part is not known." if unknown else ""
        pages.said(f"A part counts by the worst of its pictures.{rest}", 8)


def _versions(pages: Pages, lot: Lot, promises: Mapping[str, str]) -> None:
    pages.heading("Judged by")
    rows = [["model version", "pictures", "not good", "threshold"]]
    for version, mine in lot.versions().items():
        limits = sorted({f"{one.threshold:.4g}" for one in mine if one.threshold is not None})
        rows.append([version, f"{len(mine):,}",
                     f"{sum(one.decision != 'good' for one in mine):,}", ", ".join(limits) or "–"])
    pages.rows(rows, (30, 20, 20, 30), right=(1, 2, 3))
    several = len(promises) > 1
    for version, promise in promises.items():
        pages.said(f"Version {version}: {promise}" if several else promise)


def _sign(pages: Pages) -> None:
    """Kept on one page."""
    if pages.will_page_break(48):
        pages.add_page()
    pages.ln(4)
    pages.heading("Decision on the lot")
    pages.set_font(FONT, "", 9.5)
    for word in ("released", "blocked", "to be sorted"):
        x, y = pages.get_x(), pages.get_y()
        pages.rect(x, y + 0.8, 3.6, 3.6)
        pages.set_x(x + 6)
        pages.cell(38, 5, word)
    pages.ln(24)
    pages.set_draw_color(*INK)
    left, y, width = MARGIN, pages.get_y(), pages.epw
    for start, share, word in ((0.0, 0.36, "name"), (0.4, 0.2, "date"), (0.64, 0.36, "signature")):
        pages.line(left + start * width, y, left + (start + share) * width, y)
        pages.set_xy(left + start * width, y + 1)
        pages.set_font(FONT, "", 8)
        pages.cell(share * width, 4, word)
    pages.ln(10)


def _sources(pages: Pages, sources: Mapping[Path, str]) -> None:
    pages.set_text_color(*FAINT)
    for file, digest in sources.items():
        pages.said(f"made from {file}, SHA-256 {digest}", 7)
    pages.set_text_color(*INK)


def _list(pages: Pages, not_good: Sequence[Judged]) -> None:
    pages.heading(f"Not good: {len(not_good):,} picture{'s' * (len(not_good) != 1)}")
    columns = [("no.", 7, lambda one: str(one.number)), ("picture", 26, lambda one: one.name),
               ("part", 13, lambda one: one.part), ("judged", 19, lambda one: _moment(one.time)),
               ("score", 8, _score), ("where (px from left, top), or why", 34, _said)]
    told = [column for column in columns if any(column[2](one) for one in not_good)]
    pages.rows([[name for name, *_ in told],
                *([cell(one) for *_, cell in told] for one in not_good)],
               [wide for _, wide, _ in told], size=7.5,
               right=[place for place, (name, *_) in enumerate(told) if name in ("no.", "score")])


def _score(one: Judged) -> str:
    return "–" if one.score is None else f"{one.score:.2f}"


def _said(one: Judged) -> str:
    """Where the defects are, or why there is no verdict."""
    if one.decision != "defect":
        return f"{one.decision}: {one.reason}"
    return one.place or "no single place: unlike good parts as a whole"


def _show(pages: Pages, not_good: Sequence[Judged], most: int) -> None:
    """The overlays, in rows of two."""
    by_score = sorted(not_good, key=lambda one: -(one.score if one.score is not None else -1e9))
    shown = [(one, picture) for one in by_score[:most] if (picture := _picture(one))]
    missing = len(not_good) - len(shown)
    if missing:
        pages.said(f"Of {missing:,} of these no picture follows: none was kept, or only the "
                   f"{most:,} of the highest scores are shown.", 8)
    if not shown:
        return
    pages.add_page()
    pages.heading("Pictures, highest score first")
    width = (pages.epw - _GAP * (_COLUMNS - 1)) / _COLUMNS
    for start in range(0, len(shown), _COLUMNS):
        row = shown[start:start + _COLUMNS]
        sizes = [_fitted(picture, width) for _, picture in row]
        tall = max(height for _, height in sizes)
        if pages.will_page_break(tall + _CAPTION):
            pages.add_page()
        top = pages.get_y()
        for column, ((one, picture), (wide, _)) in enumerate(zip(row, sizes, strict=True)):
            left = MARGIN + column * (width + _GAP)
            pages.image(_jpeg(picture), left, top, wide)
            pages.set_font(FONT, "", 6.5)
            for line, text in enumerate((f"no. {one.number}  {one.name}",
                                         f"score {_score(one)}, {_said(one)}")):
                pages.set_xy(left, top + tall + 0.5 + 3 * line)
                pages.cell(width, 3, shortened(pages.shown(text), 40))
        pages.set_xy(MARGIN, top + tall + _CAPTION + 2)


def _picture(one: Judged) -> Image.Image | None:
    """None where it is gone or cannot be read: the report is made all the same."""
    if one.overlay is None or not one.overlay.is_file():
        return None
    try:
        picture = Image.fromarray(outside.read_image(one.overlay)).convert("RGB")
    except (DataError, ValueError, TypeError):
        return None
    picture.thumbnail((LARGEST, LARGEST))
    return picture


def _fitted(picture: Image.Image, width: float) -> tuple[float, float]:
    """Width and height in mm."""
    height = width * picture.height / picture.width
    scale = min(1.0, _TALLEST / height)
    return width * scale, height * scale


def _jpeg(picture: Image.Image) -> BytesIO:
    content = BytesIO()
    picture.save(content, format="JPEG", quality=85)
    content.seek(0)
    return content


def _moment(time: str) -> str:
    """2026-10-01T18:46:02Z as people read it."""
    return time.replace("T", " ").removesuffix("Z")
