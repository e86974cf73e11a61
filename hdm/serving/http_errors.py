"""What a server says when it cannot answer: a status and one sentence."""

from collections.abc import Iterable
from http import HTTPStatus

from starlette.responses import JSONResponse


class HTTPProblem(Exception):
    """An answer other than success. retry_after: seconds, where trying again can help."""

    def __init__(self, status: HTTPStatus, sentence: str, retry_after: int | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.retry_after = status, sentence, retry_after

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the answer."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


def busy(limit: int) -> HTTPProblem:
    """Too many images are waiting."""
    return HTTPProblem(HTTPStatus.SERVICE_UNAVAILABLE,
                   f"the server is busy: {limit} images are waiting already; try again in a "
                   "second.", 1)


def too_large(limit: int) -> HTTPProblem:
    """A request of too many bytes."""
    return HTTPProblem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                   f"expected a request of at most {limit / 2**20:.3g} MiB, received more; send "
                   "fewer or smaller images.")


def too_slow(limit: float) -> HTTPProblem:
    """A request that was not answered in time."""
    return HTTPProblem(HTTPStatus.GATEWAY_TIMEOUT,
                   f"the request was not answered within {limit:g} s; send fewer images at once, "
                   "or try again when the server is less busy.", 1)


def no_model(line: str) -> HTTPProblem:
    """A line without a champion."""
    return HTTPProblem(HTTPStatus.SERVICE_UNAVAILABLE,
                   f"the line {line} has no live model yet; it is served as soon as one is "
                   "promoted.", 10)


def no_line(name: str, served: Iterable[str]) -> HTTPProblem:
    """A line that is not served here."""
    return HTTPProblem(HTTPStatus.NOT_FOUND, f"no line {name[:80]!r} is served here; there are: "
                   f"{', '.join(sorted(served))}.")


def refusal(problem: HTTPProblem) -> JSONResponse:
    """The answer that says it."""
    return JSONResponse({"error": problem.sentence}, problem.status, problem.headers)
