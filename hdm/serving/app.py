"""The routes of `hdm serve`."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from hdm import __version__
from hdm.line import Line
from hdm.serving import answer_schema
from hdm.serving.answers import AnswerOptions
from hdm.serving.feedback_route import add_feedback
from hdm.serving.head_requests import HeadAsGet
from hdm.serving.http_errors import HTTPProblem, refusal, too_slow
from hdm.serving.line_service import LineService, Service, line_of
from hdm.serving.own_key import opens
from hdm.serving.region_routes import add_region
from hdm.serving.request_limits import RequestLimits
from hdm.serving.secured_page import secured
from hdm.serving.trusted_origin import TrustedOrigin
from hdm.serving.upload_page import page
from hdm.serving.uploads import uploads

Level = Annotated[float | None, Query(gt=0, lt=1, description=(
    "Value of the anomaly map above which a region is told, of good images, too; where the "
    "evidence reaches the threshold if left out."))]


def build_app(service: Service) -> FastAPI:
    """The application around a service, which it starts and closes."""

    def _line(name: str) -> Line:
        return line_of(service, name).slot.line

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.watcher.start()
        yield
        await asyncio.to_thread(service.close)

    # Health and readiness need no key, as what watches a server seldom has one; nor do the pages,
    # which hold nothing and ask for it.
    holder = [_key_holder(service)]
    app = FastAPI(title="HDM", version=__version__, lifespan=lifespan, docs_url=None,
                  redoc_url=None, description="Judges images of product lines.")
    # The last one is the outermost.
    app.add_middleware(HeadAsGet)
    app.add_middleware(TrustedOrigin, hosts=service.options.hosts)
    app.add_middleware(RequestLimits, options=service.options)
    _add_errors(app)
    _add_predictions(app, service, holder)
    add_feedback(app, _line, service.options, holder)
    _add_state(app, service, holder)
    _add_pages(app, service)
    add_region(app, _line, service.options.api_key is not None, holder)
    return app


def _key_holder(service: Service) -> Any:
    """A dependency that refuses requests without the key, if there is one."""
    async def guard(request: Request) -> None:
        key, given = service.options.api_key, request.headers.get("x-api-key", "")
        if key and not opens(given, key):
            raise HTTPProblem(HTTPStatus.UNAUTHORIZED, "expected the API key in the header "
                              "X-API-Key, received none or another.")

    return Depends(guard)


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(HTTPProblem)
    async def told(_: Request, error: HTTPProblem) -> Response:
        return refusal(error)

    @app.exception_handler(OSError)
    async def full(_: Request, error: OSError) -> Response:
        """No room for an upload, or no descriptor."""
        return refusal(HTTPProblem(HTTPStatus.SERVICE_UNAVAILABLE, "the server cannot keep the "
                                   f"request ({error.strerror or type(error).__name__}); try "
                                   "again later.", 10))

    @app.exception_handler(RequestValidationError)
    async def mistaken(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return refusal(HTTPProblem(HTTPStatus.UNPROCESSABLE_ENTITY,
                               f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}."))

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        path, headers = request.url.path, dict(error.headers or {})
        if "Allow" in headers:
            headers["Allow"] = _allowed(headers["Allow"])
            if request.method == "OPTIONS":
                return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
        sentence = {404: f"nothing is served at {path}; / lists the lines.",
                    405: f"{request.method} is not answered at {path}."
                    }.get(error.status_code, str(error.detail))
        return JSONResponse({"error": sentence}, error.status_code, headers)

    @app.exception_handler(Exception)
    async def unexpected(_: Request, error: Exception) -> Response:
        return JSONResponse({"error": f"the server met an unexpected {type(error).__name__}; its "
                             "log says more."}, HTTPStatus.INTERNAL_SERVER_ERROR)


def _add_predictions(app: FastAPI, service: Service, holder: list[Any]) -> None:
    @app.post("/v1/{line}/predict", responses=answer_schema.PREDICT,
              openapi_extra=answer_schema.BODY,
              dependencies=holder)
    async def predict(request: Request, line: str, heatmap: bool = False, view: bool = False,
                      overlay: bool = False, level: Level = None) -> Response:
        """Judge one image (as the body) or several (as files of a form)."""
        chosen, begun = line_of(service, line), time.monotonic()
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        try:
            content = await _judge(service, chosen, request,
                                   AnswerOptions(level, heatmap, view, overlay))
            status = HTTPStatus.OK if "error" not in content else HTTPStatus.UNPROCESSABLE_ENTITY
            return JSONResponse(content, status)
        except TimeoutError:
            status = HTTPStatus.GATEWAY_TIMEOUT
            raise too_slow(service.options.patience) from None
        except HTTPProblem as problem:
            status = problem.status
            raise
        except ClientDisconnect:
            status = HTTPStatus.BAD_REQUEST
            raise HTTPProblem(status, "the connection ended before the whole request had come."
                          ) from None
        finally:
            service.metrics.requests.labels(line, str(int(status))).inc()
            service.metrics.seconds.labels(line).observe(time.monotonic() - begun)

    @app.get("/v1/{line}/model", dependencies=holder)
    async def model(line: str) -> Response:
        """Which version serves, and what it decides by."""
        return JSONResponse(line_of(service, line).served.facts)


async def _judge(service: Service, line: LineService, request: Request, options: AnswerOptions
                 ) -> dict[str, Any]:
    # Where none is taken, its body is not read; while it is read, it takes no one's place.
    with line.admitted(1):
        served = line.served
    files, not_read = await uploads(request, service.options)
    try:
        with line.admitted(len(files)):
            async with asyncio.timeout(service.options.patience):
                images = await service.judge(line, served, files, options)
    finally:
        for file in files:
            file.content.close()
    content: dict[str, Any] = {"line": line.name, "model_version": served.version,
                               "images": images}
    if not_read:
        content["not_read"] = not_read
    if all("error" in image for image in images):
        content = {"error": images[0]["error"], **content}
    return content


def _add_state(app: FastAPI, service: Service, holder: list[Any]) -> None:
    @app.get("/healthz")
    async def alive() -> Response:
        """The process lives."""
        return JSONResponse({"status": "alive"})

    @app.get("/readyz")
    async def ready() -> Response:
        """Whether every line has a model; what troubles a line is told even while it serves."""
        lines = {name: {"version": slot.served.version if slot.served else None,
                        "problem": slot.problem or ("" if slot.served else "no live model yet")}
                 for name, slot in ((n, line.slot) for n, line in service.lines.items())}
        well = all(line["version"] for line in lines.values())
        return JSONResponse({"ready": well, "lines": lines}, HTTPStatus.OK if well
                            else HTTPStatus.SERVICE_UNAVAILABLE)

    @app.get("/metrics", dependencies=holder)
    async def metrics() -> Response:
        """Figures for Prometheus."""
        return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)


def _add_pages(app: FastAPI, service: Service) -> None:
    @app.get("/", include_in_schema=False)
    async def front() -> Response:
        """The page of the only line, or a list of lines."""
        return _html("" if len(service.lines) > 1 else next(iter(service.lines)))

    @app.get("/{line}", include_in_schema=False)
    async def of_line(line: str) -> Response:
        """A page on which a person drops a picture."""
        return _html(line_of(service, line).name)

    def _html(line: str) -> Response:
        return secured(lambda nonce: page(line, list(service.lines), service.options, nonce))


def _allowed(methods: str) -> str:
    """The header Allow with what is answered everywhere, see HeadAsGet."""
    known = {*methods.split(", "), "OPTIONS"}
    return ", ".join(sorted(known | {"HEAD"} if "GET" in known else known))
