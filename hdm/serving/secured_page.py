"""A page that runs its own script and no other, and loads nothing from elsewhere."""

import secrets
from collections.abc import Callable

from fastapi.responses import HTMLResponse


def secured(page: Callable[[str], str]) -> HTMLResponse:
    """The page as made for a nonce, with the content security policy that goes with it."""
    nonce = secrets.token_urlsafe(16)
    return HTMLResponse(page(nonce), headers={
        "Content-Security-Policy":
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
            "img-src data: blob:; connect-src 'self'; frame-ancestors 'none'; "
            "base-uri 'none'; form-action 'none'",
        "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"})
