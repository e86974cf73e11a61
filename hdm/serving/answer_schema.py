"""What openapi.json says of a prediction: the body is read by hand, so FastAPI cannot tell."""

from typing import Any

from pydantic import BaseModel


class RegionAnswer(BaseModel):
    """One defect, in pixels of the image; the outline's corners are [x, y]."""

    left: int
    top: int
    width: int
    height: int
    area: int
    peak: float
    outline: list[tuple[int, int]]


class ReasonAnswer(BaseModel):
    """Why an image is undecidable."""

    code: str
    sentence: str


class ImageAnswer(BaseModel):
    """What is said of one image. decision: good, defect or undecidable, which is never good;
    reasons say why. Without figures, and with error, where it cannot be read."""

    name: str
    model_version: str
    decision: str
    error: str | None = None
    score: float | None = None
    threshold: float | None = None
    p_value: float | None = None
    probability: float | None = None
    width: int | None = None
    height: int | None = None
    region_level: float | None = None
    regions: list[RegionAnswer] | None = None
    more_regions: int | None = None
    reasons: list[ReasonAnswer] | None = None
    heatmap: str | None = None
    picture: str | None = None
    overlay: str | None = None


class Answer(BaseModel):
    """All images of a request, judged by one version. not_read: text fields of the form, if any."""

    line: str
    model_version: str
    images: list[ImageAnswer]
    not_read: list[str] | None = None


class Refusal(BaseModel):
    """One sentence."""

    error: str


PREDICT: dict[int | str, dict[str, Any]] = {
    200: {"model": Answer},
    **{status: {"model": Refusal, "description": text} for status, text in (
        (400, "No image was sent, or a form that cannot be read in full"), (401, "Wrong API key"),
        (403, "From another site's page"), (404, "No such line"),
        (408, "The body came too slowly"), (413, "Too large"),
        (415, "The body is declared to be no image"), (422, "No file could be judged"),
        (421, "Asked by a name that is not this server's"),
        (429, "Too many requests of one client at once"),
        (503, "No model yet, or too many images are waiting"), (504, "Not answered in time"))}}
BODY: dict[str, Any] = {"requestBody": {"required": True, "content": {
    "multipart/form-data": {"schema": {"type": "object", "properties": {
        "files": {"type": "array", "items": {"type": "string", "format": "binary"}}}}},
    "image/*": {"schema": {"type": "string", "format": "binary"}}}}}
