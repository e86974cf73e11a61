"""What a request is told of each image, as plain values for JSON."""

import base64
import io
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from hdm.detector.detector import Prediction
from hdm.drawing.hatching import hatched
from hdm.drawing.heatmaps import colours, for_display
from hdm.serving.live_model import Served
from hdm.serving.regions import find_regions

VIEW_SIDE = 1280


class AnswerOptions(NamedTuple):
    """What is asked for. level: of regions; None takes the model's. heatmap: the anomaly map as a
    picture. view: the image and its heat map as a browser can show them, at most 1,280 px."""

    level: float | None = None
    heatmap: bool = False
    view: bool = False


def judged(name: str, served: Served, image: np.ndarray, found: Prediction, options: AnswerOptions
           ) -> dict[str, Any]:
    """One image that was judged."""
    level = served.level if options.level is None else options.level
    height, width = found.anomaly_map.shape
    answer: dict[str, Any] = {
        "name": name, "model_version": served.version, "decision": found.decision,
        "score": found.score, "threshold": found.threshold, "p_value": found.p_value,
        "probability": found.probability, "width": width, "height": height,
        "region_level": level,
        "regions": [region._asdict() for region in find_regions(found.anomaly_map, level)]}
    drawn = options.heatmap or options.view
    heat = heat_picture(found.anomaly_map, found.ignored) if drawn else None
    if heat and options.view:
        picture = hatched(for_display(image), found.ignored)
        picture.thumbnail((VIEW_SIDE, VIEW_SIDE))
        answer["picture"] = _encoded(picture, "JPEG", quality=88)
        heat = heat.resize(picture.size)
    if heat:
        answer["heatmap"] = _encoded(heat, "PNG", compress_level=1)
    return answer


def undecidable(name: str, served: Served, reason: str) -> dict[str, Any]:
    """One file that is no image that can be judged."""
    return {"name": name, "model_version": served.version, "decision": "undecidable",
            "error": reason}


def heat_picture(anomaly_map: np.ndarray, ignored: np.ndarray | None = None) -> Image.Image:
    """(H, W) in [0, 1] on the colour scale that every picture has; what is `ignored` is hatched."""
    levels = (anomaly_map.clip(0, 1) * 255).round().astype(np.uint8)
    return hatched(Image.fromarray(colours(levels)), ignored)


def _encoded(picture: Image.Image, form: str, **options: int) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format=form, **options)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
