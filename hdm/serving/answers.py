"""What a request is told of each image, as plain values for JSON."""

import base64
import io
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from hdm.detector.detector import Prediction
from hdm.drawing.hatching import hatched
from hdm.drawing.heatmaps import for_display, heat_picture
from hdm.drawing.judged_picture import judged_picture
from hdm.serving.live_model import Served

VIEW_SIDE = 1280
JPEG_QUALITY = 88


class AnswerOptions(NamedTuple):
    """What is asked for. level: of regions, of good images, too; None takes the model's. heatmap:
    the anomaly map as a picture. view: the image and its heat map as a browser can show them, at
    most 1,280 px. overlay: the image with outlines and caption."""

    level: float | None = None
    heatmap: bool = False
    view: bool = False
    overlay: bool = False

    @property
    def drawn(self) -> bool:
        """Whether a picture is asked for, which takes its time."""
        return self.heatmap or self.view or self.overlay


def judged(name: str, served: Served, image: np.ndarray, found: Prediction, options: AnswerOptions
           ) -> dict[str, Any]:
    """One image that was judged."""
    regions = served.rule.regions(found.decision, found.anomaly_map, options.level,
                                   found.ignored)
    height, width = found.anomaly_map.shape
    answer: dict[str, Any] = {
        "name": name, "model_version": served.version, "decision": found.decision,
        "score": found.score, "threshold": found.threshold, "p_value": found.p_value,
        "probability": found.probability, "width": width, "height": height,
        "reasons": [doubt._asdict() for doubt in found.reasons],
        "region_level": served.rule.level if regions.level is None else regions.level,
        "regions": [region._asdict() for region in regions.told], "more_regions": regions.more}
    drawn = options.heatmap or options.view
    heat = heat_picture(found.anomaly_map, found.ignored) if drawn else None
    if heat and options.view:
        picture = hatched(for_display(image), found.ignored)
        picture.thumbnail((VIEW_SIDE, VIEW_SIDE))
        answer["picture"] = _encoded(picture, "JPEG", quality=JPEG_QUALITY)
        heat = heat.resize(picture.size)
    if heat:
        answer["heatmap"] = _encoded(heat, "PNG", compress_level=1)
    if options.overlay:
        who = f"{served.line}, version {served.version}"
        answer["overlay"] = _encoded(judged_picture(image, name, who, found, regions), "PNG",
                                     compress_level=3)
    return answer


def undecidable(name: str, served: Served, reason: str) -> dict[str, Any]:
    """One file that is no image that can be judged."""
    return {"name": name, "model_version": served.version, "decision": "undecidable",
            "error": reason}


def _encoded(picture: Image.Image, form: str, **options: int) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format=form, **options)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
