"""Adding a line from a page: looked at first, then written, by the command that does both."""

import asyncio
import re
import subprocess
import sys
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from hdm.home.frame import framed
from hdm.home.lines_at_hand import LinesAtHand
from hdm.home.order_routes import LARGEST, fields
from hdm.orchestration.child_process import environment
from hdm.serving.http_errors import HTTPProblem
from hdm.serving.json_bodies import json_object

PATIENCE = 120.0
"""Seconds for reading a source."""
NAMES = ("name", "description", "owner", "preset")
"""Fields that are options of the command."""


def add_adding(app: FastAPI, lines: LinesAtHand) -> None:
    """Add the page on which a line is added, and what it asks."""
    one_at_a_time = asyncio.Lock()

    @app.get("/-/add")
    async def page() -> Response:
        """Ask for name and folder."""
        return framed("add.html.j2")

    @app.post("/v1/lines")
    async def added(request: Request) -> Response:
        """Look at a source (`look`), or add it as a line; what was found is told in sentences."""
        given = fields(await json_object(request, LARGEST, "a line as JSON"))
        if not given.get("source"):
            raise HTTPProblem(HTTPStatus.UNPROCESSABLE_ENTITY, "say in which folder the pictures "
                              "are.")
        words = ["lines", "add", f"--source={given['source']}",
                 *(f"--{name}={given[name]}" for name in NAMES if given.get(name)),
                 *(["--dry-run"] if given.get("order") == "look" else [])]
        async with one_at_a_time:
            told = await asyncio.to_thread(_run, lines, words)
        name = next(iter(re.findall(r"^([a-z0-9_-]+) added to ", told, re.MULTILINE)), "")
        return JSONResponse({"told": told.splitlines(), "added": name})


def _run(lines: LinesAtHand, words: list[str]) -> str:
    """What `hdm` prints; raises HTTPProblem with its sentence where it refuses."""
    settings: dict[str, Any] = {"cwd": lines.project, "text": True, "errors": "replace",
                                "env": {**environment(), "NO_COLOR": "1"}}
    try:
        done = subprocess.run([sys.executable, "-m", "hdm", *words], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=PATIENCE, check=False, **settings)
    except subprocess.TimeoutExpired:
        raise HTTPProblem(HTTPStatus.GATEWAY_TIMEOUT, f"reading the folder took more than "
                          f"{PATIENCE:g} s; add the line by `hdm lines add`.") from None
    if done.returncode:
        sentence = done.stderr.strip().rpartition("error: ")[2]
        raise HTTPProblem(HTTPStatus.UNPROCESSABLE_ENTITY, sentence or "`hdm lines add` failed.")
    return done.stdout.strip()
