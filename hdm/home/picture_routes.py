"""The pictures on Home's pages."""

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response

from hdm.feedback.saying import kept_picture
from hdm.home.detectors_at_hand import DetectorsAtHand
from hdm.home.inbox_list import inbox_picture
from hdm.home.line_pictures import shown, small_picture
from hdm.home.second_look import SecondLook
from hdm.line import Line

AT_ONCE = 4
"""Pictures that are decoded at a time; a page asks for dozens."""


def add_pictures(app: FastAPI, line_of: Callable[[str], Line], detectors: DetectorsAtHand) -> None:
    """Add the addresses of pictures; line_of raises HTTPProblem for no line."""
    look, gate = SecondLook(detectors), asyncio.Semaphore(AT_ONCE)

    async def jpeg(work: Callable[..., bytes], *given: Any) -> Response:
        async with gate:
            content = await asyncio.to_thread(work, *given)
        return Response(content, media_type="image/jpeg",
                        headers={"Cache-Control": "private, max-age=600",
                                 "X-Content-Type-Options": "nosniff"})

    @app.get("/v1/{line}/picture")
    async def picture(line: str, path: str) -> Response:
        """A picture of the line's source, small."""
        return await jpeg(small_picture, line_of(line), path)

    @app.get("/v1/{line}/judged")
    async def judged(line: str, version: int, path: str) -> Response:
        """A test picture with its ground truth, beside a version's anomaly map of it."""
        return await jpeg(look, line_of(line), version, path)

    @app.get("/v1/{line}/logged/{row}")
    async def logged(line: str, row: int) -> Response:
        """The kept picture of a logged prediction."""
        chosen = line_of(line)
        return await jpeg(lambda: shown(kept_picture(chosen, row)))

    @app.get("/v1/{line}/inbox/picture")
    async def waiting(line: str, path: str) -> Response:
        """A picture in the inbox."""
        return await jpeg(inbox_picture, line_of(line), path)
