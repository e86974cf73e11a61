"""Limits of a request that hold for every route, before and behind the key.

A body is read by the route that wants it, behind the key; here is counted what comes, and how fast.
"""

import asyncio
from collections import Counter
from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hdm.serving.guarded_connection import peer_of
from hdm.serving.http_errors import HTTPProblem, refusal
from hdm.serving.serving_options import Options

HEAD_BYTES = 2**14
"""Of a request's address and headers."""
SINGLE = ("content-type", "content-encoding", "origin", "sec-fetch-site", "x-api-key", "x-part")
"""Headers that decide something: of two of them others might believe the other one."""


class RequestLimits:
    """Middleware around all routes."""

    def __init__(self, app: ASGIApp, options: Options) -> None:
        self.app, self.options = app, options
        self._at_work: Counter[str] = Counter()
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = _Body(self, scope, receive)

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start" and not body.whole:
                # What was not read is not the beginning of the next request.
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        try:
            _check_head(scope)
            if body.whole:
                body.begin_work()
            await self.app(scope, body.receive, sent)
        except HTTPProblem as problem:
            response = refusal(problem)
            response.headers["Connection"] = "close"
            await response(scope, receive, send)
        finally:
            body.end()

    def enter(self, client: str) -> None:
        """Count a request whose body is there; raises HTTPProblem for one too many."""
        if self._at_work[client] >= self.options.client_requests:
            raise HTTPProblem(HTTPStatus.TOO_MANY_REQUESTS, "expected at most "
                              f"{self.options.client_requests} requests of one client at once, "
                              "received more; wait for their answers.", 1)
        self._at_work[client] += 1

    def leave(self, client: str) -> None:
        """Count it out."""
        self._at_work[client] -= 1
        if not self._at_work[client]:
            del self._at_work[client]

    def hold(self, size: int) -> None:
        """Count bytes of bodies; raises HTTPProblem where they are too many."""
        if size > 0 and self._held + size > self.options.body_memory:
            raise HTTPProblem(HTTPStatus.SERVICE_UNAVAILABLE, "the server is busy: it holds as "
                              "many bytes of requests as it may; try again in a second.", 1)
        self._held += size


class _Body:
    """A request's body, counted as it is read."""

    def __init__(self, limits: RequestLimits, scope: Scope, receive: Receive) -> None:
        self._limits, self._receive = limits, receive
        headers = Headers(scope=scope)
        self.whole = ("transfer-encoding" not in headers
                      and not headers.get("content-length", "0").strip("0"))
        self._client = peer_of(scope.get("client"))
        self._working, self._bytes, self._waited = False, 0, 0.0

    def begin_work(self) -> None:
        self._limits.enter(self._client)
        self._working = True

    async def receive(self) -> Message:
        if self.whole:
            return await self._receive()
        clock, options = asyncio.get_running_loop().time, self._limits.options
        paid = min(options.body_patience + self._bytes / options.body_rate, options.patience)
        begun = clock()
        try:
            async with asyncio.timeout(paid - self._waited):
                message = await self._receive()
        except TimeoutError:
            raise HTTPProblem(HTTPStatus.REQUEST_TIMEOUT, f"expected a body within "
                              f"{options.patience:g} s and at {options.body_rate} bytes a second "
                              "or more, received less; send it faster.") from None
        self._waited += clock() - begun
        size = len(message.get("body", b""))
        self._limits.hold(size)
        self._bytes += size
        if message["type"] == "http.request" and not message.get("more_body"):
            self.whole = True
            self.begin_work()
        return message

    def end(self) -> None:
        self._limits.hold(-self._bytes)
        if self._working:
            self._limits.leave(self._client)


def _check_head(scope: Scope) -> None:
    """Raise HTTPProblem for headers that are too long or contradict each other."""
    pairs: list[tuple[bytes, bytes]] = scope["headers"]
    size = len(scope.get("raw_path") or b"") + len(scope["query_string"]) \
        + sum(len(name) + len(value) for name, value in pairs)
    if size > HEAD_BYTES:
        raise HTTPProblem(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "expected an address and "
                          f"headers of at most {HEAD_BYTES // 1024} KiB, received {size} bytes.")
    count: Any = Counter(name.decode("latin-1") for name, _ in pairs)
    if count["transfer-encoding"] and count["content-length"]:
        raise HTTPProblem(HTTPStatus.BAD_REQUEST, "expected one length of the body, received a "
                          "Content-Length and a Transfer-Encoding.")
    # Other digits than ASCII's are digits to Python, too.
    length = next((value for name, value in pairs if name == b"content-length"), b"0")
    if not length.isdigit():
        raise HTTPProblem(HTTPStatus.BAD_REQUEST, "expected a number of bytes as Content-Length, "
                          f"received {length[:20].decode('latin-1')!r}.")
    for name in SINGLE:
        if count[name] > 1:
            raise HTTPProblem(HTTPStatus.BAD_REQUEST, f"expected one header {name.title()}, "
                              f"received {count[name]}.")
