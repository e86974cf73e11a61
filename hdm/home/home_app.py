"""The application behind `hdm home`, put together."""

from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from hdm.errors import HDMError
from hdm.home.adding import add_adding
from hdm.home.detectors_at_hand import DetectorsAtHand
from hdm.home.door import add_door
from hdm.home.entrance import NeedsKey
from hdm.home.frame import problem_page
from hdm.home.lines_at_hand import LinesAtHand
from hdm.home.order_routes import add_orders
from hdm.home.page_routes import add_pages
from hdm.home.picture_routes import add_pictures
from hdm.home.trial_routes import add_trial
from hdm.serving.feedback_route import add_feedback
from hdm.serving.head_requests import HeadAsGet
from hdm.serving.http_errors import HTTPProblem
from hdm.serving.region_routes import add_region
from hdm.serving.request_limits import RequestLimits
from hdm.serving.serving_options import Options
from hdm.serving.trusted_origin import TrustedOrigin


def build_home(project: Path, options: Options) -> FastAPI:
    """The application of a project's lines. options: the parts that are not about judging."""
    # What is served is for people; programs ask `hdm serve` and the command line.
    app = FastAPI(title="HDM home", openapi_url=None, docs_url=None, redoc_url=None)
    # The last one is the outermost.
    if options.api_key:
        app.add_middleware(NeedsKey, key=options.api_key)
    app.add_middleware(HeadAsGet)
    app.add_middleware(TrustedOrigin, hosts=options.hosts)
    app.add_middleware(RequestLimits, options=options)
    _add_errors(app)
    lines, detectors = LinesAtHand(project), DetectorsAtHand()
    add_door(app, options.api_key)
    add_adding(app, lines)
    add_orders(app, lines)
    add_pictures(app, lines, detectors)
    add_trial(app, lines, detectors, options)
    add_feedback(app, lines, options, [])
    # Whoever reads a page of Home has shown the key.
    add_region(app, lines, locked=False, holder=[])
    add_pages(app, lines)
    return app


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(HTTPProblem)
    async def told(request: Request, error: HTTPProblem) -> Response:
        return _answer(request, error.status, error.sentence, error.headers)

    @app.exception_handler(HDMError)
    async def known(request: Request, error: HDMError) -> Response:
        return _answer(request, HTTPStatus.UNPROCESSABLE_ENTITY, str(error))

    @app.exception_handler(RequestValidationError)
    async def mistaken(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return _answer(request, HTTPStatus.UNPROCESSABLE_ENTITY,
                       f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}.")

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        sentence = {404: "there is no such page.", 405: "that is not answered here."}
        return _answer(request, error.status_code,
                       sentence.get(error.status_code, str(error.detail)),
                       dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, "the server met an unexpected "
                       f"{type(error).__name__}; its log says more.")


def _answer(request: Request, status: int, sentence: str,
            headers: dict[str, str] | None = None) -> Response:
    """The sentence: to a page's script as JSON, to a person as a page."""
    if request.url.path.startswith("/v1/") or request.method not in ("GET", "HEAD"):
        return JSONResponse({"error": sentence}, status, headers)
    return problem_page(sentence, status)
