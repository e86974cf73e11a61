"""The page on which a person drops a picture, as `hdm serve` has it; nothing of it is logged."""

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from hdm.errors import DataError
from hdm.home.detectors_at_hand import DetectorsAtHand
from hdm.line import Line
from hdm.registry.fetch import live_version
from hdm.serving import answers
from hdm.serving.http_errors import no_model
from hdm.serving.live_model import Served
from hdm.serving.secured_page import secured
from hdm.serving.serving_options import Options
from hdm.serving.upload_page import page
from hdm.serving.upload_pixels import decoded
from hdm.serving.uploads import Upload, uploads


def add_trial(app: FastAPI, line_of: Callable[[str], Line], detectors: DetectorsAtHand,
              options: Options) -> None:
    """Add the page and what it asks; line_of raises HTTPProblem for no line."""

    @app.get("/{line}/judge")
    async def dropped(line: str) -> Response:
        """A page on which pictures are dropped."""
        name = line_of(line).name
        return secured(lambda nonce: page(name, [name], Options(max_bytes=options.max_bytes),
                                          nonce, back=f"/{name}"))

    @app.get("/v1/{line}/model")
    async def model(line: str) -> Response:
        """Which version answers."""
        return JSONResponse(await asyncio.to_thread(_facts, line_of(line), detectors))

    @app.post("/v1/{line}/predict")
    async def predict(request: Request, line: str, overlay: bool = False) -> Response:
        """Judge the pictures of a form by the live version."""
        chosen = line_of(line)
        files = (await uploads(request, options)).files
        try:
            found = [await asyncio.to_thread(_judged, chosen, detectors, file, overlay, options)
                     for file in files]
        finally:
            for file in files:
                file.content.close()
        return JSONResponse({"line": chosen.name, "images": found})


def _live(line: Line) -> str:
    version = live_version(line)
    if version is None:
        raise no_model(line.name)
    return version


def _facts(line: Line, detectors: DetectorsAtHand) -> dict[str, Any]:
    with detectors.version(line, _live(line)) as served:
        return served.facts


def _judged(line: Line, detectors: DetectorsAtHand, file: Upload, overlay: bool,
            options: Options) -> dict[str, Any]:
    with detectors.version(line, _live(line)) as served:
        try:
            image = decoded(file, options.decoding)
        except DataError as error:
            return answers.undecidable(file.name, served, str(error))
        return _answer(file.name, served, image, overlay)


def _answer(name: str, served: Served, image: np.ndarray, overlay: bool) -> dict[str, Any]:
    [found] = served.judge.predict([image])
    return answers.judged(name, served, image, found,
                          answers.AnswerOptions(view=True, overlay=overlay))
