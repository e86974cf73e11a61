"""The addresses of Home's pages."""

import asyncio

from fastapi import FastAPI
from fastapi.responses import Response

from hdm.home import line_views
from hdm.home.lines_at_hand import LinesAtHand


def add_pages(app: FastAPI, lines: LinesAtHand) -> None:
    """Add all pages; lines raises HTTPProblem for no line."""

    @app.get("/")
    async def plant() -> Response:
        """All lines."""
        return await asyncio.to_thread(line_views.plant_page, lines)

    @app.get("/{line}")
    async def overview(line: str) -> Response:
        """A line: what serves, what it stops, its versions and decisions."""
        return await asyncio.to_thread(line_views.overview_page, lines(line))

    @app.get("/{line}/pictures")
    async def pictures(line: str, version: int | None = None, view: str = "wrong",
                       page: int = 1) -> Response:
        """The test pictures of a version."""
        return await asyncio.to_thread(line_views.pictures_page, lines(line), version, view,
                                       max(1, page))

    @app.get("/{line}/look")
    async def look(line: str, version: int, path: str) -> Response:
        """One test picture."""
        return await asyncio.to_thread(line_views.look_page, lines(line), version, path)

    @app.get("/{line}/compare")
    async def compare(line: str, first: int | None = None, second: int | None = None) -> Response:
        """Two versions."""
        return await asyncio.to_thread(line_views.compare_page, lines(line), first, second)

    @app.get("/{line}/threshold")
    async def threshold(line: str) -> Response:
        """What another threshold would do."""
        return await asyncio.to_thread(line_views.threshold_page, lines(line))

    @app.get("/{line}/seen")
    async def seen(line: str, view: str = "stopped") -> Response:
        """What the model judged lately."""
        return await asyncio.to_thread(line_views.seen_page, lines(line), view)

    @app.get("/{line}/inbox")
    async def inbox(line: str) -> Response:
        """What waits to join the line."""
        return await asyncio.to_thread(line_views.inbox_page, lines(line))

    @app.get("/{line}/report")
    async def report(line: str, version: int) -> Response:
        """A version's evaluation report."""
        return await asyncio.to_thread(line_views.report_page, lines(line), version)

    @app.get("/{line}/drift")
    async def drift(line: str) -> Response:
        """The trends that the last look for drift drew."""
        return await asyncio.to_thread(line_views.drift_page, lines(line))
