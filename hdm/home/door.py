"""The page on which a browser shows the key once."""

import asyncio
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from hdm.home.entrance import COOKIE, same, token
from hdm.home.frame import framed
from hdm.serving.http_errors import HTTPProblem
from hdm.serving.json_bodies import json_object

LARGEST = 2**12
PAUSE = 1.0
"""Seconds that a wrong key costs."""
WEEK = 7 * 24 * 3600


def add_door(app: FastAPI, key: str | None) -> None:
    """Add /-/enter and /-/healthz, which need no key."""

    @app.get("/-/healthz")
    async def alive() -> Response:
        """The process lives."""
        return JSONResponse({"status": "alive"})

    @app.get("/-/enter")
    async def enter(to: str = "/") -> Response:
        """Ask for the key."""
        return framed("enter.html.j2", to=to if to.startswith("/") and to[1:2] != "/" else "/")

    @app.post("/-/enter")
    async def shown(request: Request) -> Response:
        """Keep a token of the key in the browser, for a week."""
        content = await json_object(request, LARGEST, "the key as JSON")
        if key and not same(str(content.get("key", "")).strip(), key):
            await asyncio.sleep(PAUSE)
            raise HTTPProblem(HTTPStatus.UNAUTHORIZED, "that is not the key.")
        answer = JSONResponse({"entered": True})
        if key:
            answer.set_cookie(COOKIE, token(key), max_age=WEEK, httponly=True, samesite="strict")
        return answer
