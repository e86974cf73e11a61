"""A page that runs its own script and no other, and loads nothing from elsewhere."""

import secrets
from collections.abc import Callable
from http import HTTPStatus

from fastapi.responses import HTMLResponse


def secured(page: Callable[[str], str], status: int = HTTPStatus.OK, *, illustrated: bool = False,
            ) -> HTMLResponse:
    """The page as made for a nonce, with the content security policy that goes with it.

    illustrated: it shows charts, whose lines have styles of their own, and pictures by addresses
    of this server.
    """
    nonce = secrets.token_urlsafe(16)
    more, own = ("; style-src-attr 'unsafe-inline'", "'self' ") if illustrated else ("", "")
    return HTMLResponse(page(nonce), status, headers=headers(
        f"script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'{more}; img-src {own}data: blob:; "
        "connect-src 'self'"))


def still(text: str) -> HTMLResponse:
    """A page without script whose styles and pictures are in it."""
    return HTMLResponse(text, headers=headers("style-src 'unsafe-inline'; img-src data:"))


def headers(allowed: str) -> dict[str, str]:
    """Headers that let a page do what is allowed and nothing else."""
    return {"Content-Security-Policy": f"default-src 'none'; {allowed}; frame-ancestors 'none'; "
                                       "base-uri 'none'; form-action 'none'",
            "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
