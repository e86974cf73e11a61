"""The route by which a person says: this was good, this was a defect."""

import asyncio
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import numpy as np
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.requests import ClientDisconnect

from hdm.dataset.feedback_entries import FeedbackEntry
from hdm.errors import HDMError
from hdm.feedback.admission import Contradiction
from hdm.feedback.saying import Statement, kept_picture, say
from hdm.line import Line
from hdm.serving.answer_schema import Refusal
from hdm.serving.feedback_form import Said, Words, read_said
from hdm.serving.form_parts import Part
from hdm.serving.http_errors import HTTPProblem
from hdm.serving.serving_options import Options
from hdm.serving.upload_pixels import decoded
from hdm.serving.uploads import Upload

_ONE_AT_A_TIME = threading.Lock()
"""Two words on one picture must not cross each other."""
_TEXT = {name: {"type": "string"} for name in ("verdict", "type", "who", "why", "part")}
_FIELDS = {**_TEXT, "row": {"type": "integer"}, "confirm": {"type": "boolean"}}
BODY: dict[str, Any] = {"requestBody": {"required": True, "content": {
    "application/json": {"schema": {
        "type": "object", "required": ["verdict", "row"], "properties": _FIELDS}},
    "multipart/form-data": {"schema": {
        "type": "object", "required": ["verdict"], "properties": {
            **_FIELDS, **{name: {"type": "string", "format": "binary"}
                          for name in ("picture", "mask")}}}}}}}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": FeedbackEntry},
    **{status: {"model": Refusal, "description": text} for status, text in (
        (400, "A form that cannot be read"), (401, "Wrong API key"), (404, "No such line"),
        (409, "It contradicts what the line knows: send it again with confirm"),
        (413, "Too large"), (422, "It must not be learned from, or makes no sense"))}}


def add_feedback(app: FastAPI, line_of: Callable[[str], Line], options: Options,
                 holder: list[Any]) -> None:
    """Add POST /v1/<line>/feedback; line_of raises HTTPProblem for a line that is not here."""
    @app.post("/v1/{line}/feedback", responses=ANSWERS, openapi_extra=BODY, dependencies=holder)
    async def feedback(request: Request, line: str) -> Response:
        """Say of a picture that it was good or a defect; the next training learns from it."""
        chosen = line_of(line)
        try:
            said = await read_said(request, options)
        except ClientDisconnect:
            raise HTTPProblem(HTTPStatus.BAD_REQUEST, "the connection ended before the whole "
                              "request had come.") from None
        try:
            entry = await asyncio.to_thread(_keep, chosen, said, options)
        except Contradiction as question:
            raise HTTPProblem(HTTPStatus.CONFLICT, str(question)) from None
        except HDMError as error:
            raise HTTPProblem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
        finally:
            for file in said.files:
                file.close()
        return JSONResponse(entry.model_dump(mode="json"))


def _keep(line: Line, said: Said, options: Options) -> FeedbackEntry:
    words = said.words
    if said.picture is None and words.row is None:
        raise HTTPProblem(HTTPStatus.UNPROCESSABLE_ENTITY, "expected a picture, or the row of a "
                          "logged prediction, received neither.")
    image = _pixels(said.picture, options) if said.picture else kept_picture(line, words.row or 0)
    with _ONE_AT_A_TIME:
        return say(line, image, _statement(words, said.mask, options), row=words.row,
                   name=(said.picture.file_name or "") if said.picture else "",
                   confirmed=words.confirm)


def _statement(words: Words, mask: Part | None, options: Options) -> Statement:
    drawn = None
    if mask:
        values = _pixels(mask, options)
        drawn = (values if values.ndim == 2 else values.max(2)) > 0
    return Statement(words.verdict, words.type, drawn, words.who, words.why, words.part)


def _pixels(part: Part, options: Options) -> np.ndarray:
    upload = Upload(part.file_name or part.field_name, part.content)
    return decoded(upload, options.decoding)
