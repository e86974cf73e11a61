"""Who may come in: with a key, a browser that was shown it once, and programs that send it."""

import hashlib
import hmac
from http import HTTPStatus
from http.cookies import SimpleCookie
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from hdm.serving.own_key import opens

COOKIE = "hdm_home"
OPEN = ("/-/enter", "/-/healthz")
"""What needs no key."""


def token(key: str) -> str:
    """What a browser keeps in place of the key, which cannot be read from it."""
    return hmac.new(key.encode(), b"hdm home", hashlib.sha256).hexdigest()


class NeedsKey:
    """Middleware: nothing but OPEN is answered without the key."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self.app, self._key = app, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or show a browser the door."""
        if scope["type"] != "http" or scope["path"] in OPEN or self.knows(Headers(scope=scope)):
            await self.app(scope, receive, send)
        elif scope["method"] == "GET" and not scope["path"].startswith("/v1/"):
            query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
            await RedirectResponse(f"/-/enter?to={quote(scope['path'] + query, safe='')}",
                                   HTTPStatus.SEE_OTHER)(scope, receive, send)
        else:
            await JSONResponse({"error": "expected the key, in the header X-API-Key or by the page "
                                "/-/enter, received none or another."},
                               HTTPStatus.UNAUTHORIZED)(scope, receive, send)

    def knows(self, headers: Headers) -> bool:
        """Whether the key is in a header, or its token in a cookie."""
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        shown = cookie.value if cookie else ""
        return same(shown, token(self._key)) or opens(headers.get("x-api-key", ""), self._key)


def same(given: str, wanted: str) -> bool:
    """Compared in the same time whatever is given."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())
