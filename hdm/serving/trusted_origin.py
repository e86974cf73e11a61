"""A browser is not made to speak for another site: neither by its names nor by its forms.

* A name that another site's owner points at this machine (DNS rebinding) is not answered: `Host`
  must be a name of this server. Starlette's TrustedHostMiddleware does not read IPv6 addresses.
* What changes state or is logged (all but GET, HEAD, OPTIONS) is taken from this server's own pages
  and from programs, which send neither `Origin` nor `Sec-Fetch-Site`.
"""

from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from hdm.serving.http_errors import HTTPProblem, refusal

SAFE = ("GET", "HEAD", "OPTIONS")
ANY_ADDRESS = "*"
"""Among the hosts: every address in figures, which no name can be pointed at."""


class TrustedOrigin:
    """Middleware. hosts: names and addresses of this server, in small letters."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it before its body is read."""
        try:
            if scope["type"] == "http":
                self._check(scope["method"], Headers(scope=scope))
        except HTTPProblem as problem:
            await refusal(problem)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _check(self, method: str, headers: Headers) -> None:
        host = headers.get("host", "").lower()
        if not self._ours(host):
            raise HTTPProblem(HTTPStatus.MISDIRECTED_REQUEST, f"no server {host[:80]!r} is here; "
                              "`hdm serve --allowed-host NAME` adds a name.")
        origin, site = headers.get("origin", "").lower(), headers.get("sec-fetch-site", "").lower()
        if method not in SAFE and (site not in ("", "same-origin", "none")
                                   or (origin and origin.partition("://")[2] != host)):
            raise HTTPProblem(HTTPStatus.FORBIDDEN, "expected a request of this server's own page "
                              f"or of a program, received one of {(origin or site)[:80]!r}.")

    def _ours(self, host: str) -> bool:
        try:
            split = urlsplit(f"//{host}")
            name = (split.hostname or "").rstrip(".")
            if split.port == 0 or split.netloc != host or "@" in host:
                return False
        except ValueError:
            return False
        return name in self.hosts - {ANY_ADDRESS} or (ANY_ADDRESS in self.hosts
                                                      and _is_address(name))


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
