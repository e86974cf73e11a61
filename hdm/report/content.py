"""An evaluation, its pictures and what earlier stages said, gathered into the report's content."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image
from ruamel.yaml import YAML

from hdm.dataset.manifest import Manifest
from hdm.drawing import heatmaps
from hdm.drawing.svg import Chart
from hdm.evaluation.evaluation import Evaluation
from hdm.report import charts, detection_tables, gallery, wording
from hdm.report.gallery import Chapter
from hdm.report.metric_tables import feedback_tables, funnel_tables, table_of
from hdm.report.page import Gallery, Picture, ReportContent, Table
from hdm.report.wording import ThresholdFacts
from hdm.settings import Params

OUTCOME_PICTURES = {"escapes": 8, "false_alarms": 6, "undecidable": 4, "detected": 4, "good": 4}
TYPE_PICTURES = 2
_NOTHING = {"escapes": ("Escapes: missed defects", "None: no defective test image was missed."),
            "false_alarms": ("False alarms: good parts that were stopped",
                             "None: no good test image was stopped.")}


@dataclass(frozen=True)
class Background:
    """What the report says beside the evaluation; unknown things are left empty.

    funnel, split_table: the JSON that pom_filter and ingest left. feedback: what each picture that
    people spoke of scored before and after. facts: name -> text. remarks: what a reader must know.
    """

    line: str
    description: str
    threshold: ThresholdFacts
    operating_curve: pd.DataFrame
    configuration: Mapping[str, Any]
    facts: tuple[tuple[str, str], ...] = ()
    funnel: Any = None
    split_table: Any = None
    feedback: Any = None
    remarks: tuple[str, ...] = ()


def draw(evaluation: Evaluation, manifest: Manifest, folder: Path, most: int,
         report: Callable[[int, int], None] = lambda done, total: None, ignored: str = "",
         ) -> dict[str, tuple[Picture, ...]]:
    """Write one heat-map sheet a chapter into `folder`; return the first cards for the report.

    `most` is the number of images on a sheet; `report` is called with (done, total) after each
    sheet; `ignored` is the ignore mask as text.
    """
    kept: dict[str, tuple[Picture, ...]] = {}
    chapters = gallery.chapters(evaluation)
    for number, chapter in enumerate(chapters, start=1):
        cards = list(gallery.cards(chapter, manifest, evaluation, most, ignored))
        page = heatmaps.sheet(chapter.title, extent(chapter, len(cards)), cards)
        page.save(folder / f"{chapter.name}.png", compress_level=4)
        first = cards[:OUTCOME_PICTURES.get(chapter.name, TYPE_PICTURES)]
        kept[chapter.name] = tuple(
            Picture(_png(card.picture), card.name, card.verdict, card.wrong) for card in first)
        report(number, len(chapters))
    return kept


def extent(chapter: Chapter, shown: int) -> str:
    """'6 of 57 images, lowest score first'."""
    total = len(chapter.rows)
    amount = f"{total}" if shown >= total else f"{shown} of {total}"
    return f"{amount} image{'s' if total != 1 else ''}, {chapter.order}"


def build(evaluation: Evaluation, background: Background, settings: Params,
          drawn: Mapping[str, tuple[Picture, ...]]) -> ReportContent:
    """Everything the report shows; `drawn` comes from `draw`."""
    coverage = settings.evaluate.interval
    status, verdict = wording.verdict(evaluation, background.threshold)
    outcomes, kinds = _galleries(evaluation, drawn)
    return ReportContent(
        line=background.line, description=background.description, status=status, verdict=verdict,
        figures=wording.figures(evaluation, coverage),
        by_type=detection_tables.type_table(evaluation.by_type, coverage),
        confusion=detection_tables.stopped_table(evaluation),
        threshold=wording.threshold_text(background.threshold, evaluation.threshold),
        charts=_charts(evaluation, background.operating_curve), outcomes=outcomes, kinds=kinds,
        colour_bar=_png(heatmaps.colour_bar()), data=_data(background),
        remarks=background.remarks + wording.remarks(evaluation),
        configuration=_yaml(background.configuration), facts=background.facts)


def _galleries(evaluation: Evaluation, drawn: Mapping[str, tuple[Picture, ...]],
               ) -> tuple[tuple[Gallery, ...], tuple[Gallery, ...]]:
    """By outcome, and by defect type."""
    known = {chapter.name: chapter for chapter in gallery.chapters(evaluation)}
    outcomes = []
    for name in OUTCOME_PICTURES:
        if name in known:
            outcomes.append(_gallery(known.pop(name), drawn))
        elif name in _NOTHING and (evaluation.confusion.defects if name == "escapes"
                                   else evaluation.confusion.good):
            outcomes.append(Gallery(_NOTHING[name][0], "", (), _NOTHING[name][1]))
    return tuple(outcomes), tuple(_gallery(chapter, drawn) for chapter in known.values())


def _gallery(chapter: Chapter, drawn: Mapping[str, tuple[Picture, ...]]) -> Gallery:
    shown = drawn.get(chapter.name, ())
    return Gallery(chapter.title, extent(chapter, len(shown)), shown)


def _charts(evaluation: Evaluation, operating_curve: pd.DataFrame) -> tuple[Chart, ...]:
    """Those curves that are defined."""
    curves, limit = evaluation.curves, evaluation.aupro_limit
    alarms, recall = evaluation.confusion.false_alarm_rate.value, evaluation.confusion.recall.value
    point = None if alarms is None or recall is None else (alarms, recall)
    found = [Chart("Scores", charts.histogram_chart(curves["histogram"], evaluation.threshold),
                   "Image scores of the test split. What lies right of the threshold is called "
                   "defective."),
             Chart("Operating point",
                   charts.operating_chart(operating_curve, evaluation.threshold),
                   "What each threshold is expected to do, from held-out good images and synthetic "
                   "defects on such images. The dashed line is the threshold in use.")]
    if len(curves["roc"]) or len(curves["pixel_roc"]):
        found.append(Chart("ROC", charts.roc_chart(
            curves["roc"], curves["pixel_roc"], point),
            "How many defects are found for how many false alarms; the diagonal is chance."))
    if len(curves["pr"]) or len(curves["pixel_pr"]):
        found.append(Chart("Precision and recall",
                           charts.pr_chart(curves["pr"], curves["pixel_pr"]),
                           "How many of the alarms are defects, for how many defects are found."))
    if len(curves["pro"]):
        found.append(Chart("Per-region overlap", charts.pro_chart(curves["pro"], limit),
                           "Mean covered share of each defect region. AUPRO is the shaded area "
                           f"divided by {limit:g}."))
    return tuple(found)


def _data(background: Background) -> tuple[Table, ...]:
    splits = table_of("Images by split", background.split_table)
    return (*((splits,) if splits else ()), *funnel_tables(background.funnel),
            *feedback_tables(background.feedback))


def _yaml(content: Mapping[str, Any]) -> str:
    stream = io.StringIO()
    writer: Any = YAML(typ="safe", pure=True)
    writer.default_flow_style, writer.width = None, 96  # innermost lists on one line
    writer.sort_base_mapping_type_on_output = False
    if content:
        writer.dump(dict(content), stream)
    return stream.getvalue().rstrip()


def _png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format="PNG", compress_level=6)
    return stream.getvalue()
