"""What reads requests: the form parser by itself, and the routes of the server."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path

import httpx
import numpy as np

from benchmarks.fuzz.reading_targets import Target
from benchmarks.fuzz.seed_documents import PICTURE, REGIONS, WORDS
from hdm.dataset.appearance import Appearance
from hdm.detector.detector import Prediction
from hdm.detector.regions import RegionRule
from hdm.errors import HDMError
from hdm.line import Line
from hdm.pipelines import ProductLine, Source
from hdm.serving.app import build_app
from hdm.serving.form_files import files_and_fields
from hdm.serving.form_parts import read_parts
from hdm.serving.http_errors import HTTPProblem
from hdm.serving.line_service import Service
from hdm.serving.live_model import Served
from hdm.serving.serving_options import Options
from hdm.settings import Params

LINE, BOUNDARY = "plate", "xYzZy"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
HEADERS = (b"Content-Type", b"Content-Disposition", b"X-Part", b"Content-Encoding", b"Accept",
           b"Content-Length", b"Expect", b"X-API-Key", b"Host", b"Origin", b"Range")


class Judge:
    """Calls every picture good."""

    def predict(self, images: Sequence[np.ndarray], batch_size: int = 16) -> list[Prediction]:
        return [Prediction(0.1, 0.5, 0.1, "good", 0.5, np.zeros(image.shape[:2], np.float32),
                           Appearance(0.5, 0.1, 0.1)) for image in images]


def form(*more: bytes) -> bytes:
    """A form with a picture, and parts beside it."""
    parts = [b'Content-Disposition: form-data; name="files"; filename="a.png"\r\n'
             b"Content-Type: image/png\r\n\r\n" + PICTURE, *more]
    line = b"--" + BOUNDARY.encode()
    return b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"


FORMS = [form(), form(b'Content-Disposition: form-data; name="part"\r\n\r\n17'),
         form(b"Content-Disposition: form-data; name=\"files\"; filename*=UTF-8''%C3%A4.png\r\n\r\n"
              + PICTURE),
         form(b'Content-Disposition: form-data; name="f"; filename="b"\r\n'
              b"Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=")]


def forms() -> Target:
    """The parser of forms, fed in pieces."""
    runner = asyncio.Runner()

    async def pieces(data: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(data), 333):
            yield data[start:start + 333]

    async def read(data: bytes) -> None:
        for part in files_and_fields(await read_parts(FORM, pieces(data), 64), 64).files:
            part.content.close()

    def call(data: bytes) -> None:
        try:
            runner.run(read(data))
        except HTTPProblem as problem:
            raise HDMError(str(problem)) from None
    return Target(FORMS, call)


def route(method: str, path: str, content_type: str, seeds: Sequence[bytes], *,
          headers: bool = False) -> Target:
    """A route, its body damaged, or with `headers` those that the input spells before a sound one.

    Answers of 500 and above are crashes, but for 503: there may be no such line.
    """
    runner, client = asyncio.Runner(), _client()

    def call(data: bytes) -> None:
        given = {"Content-Type": content_type} if not headers else _spelled(data)
        sent = runner.run(client.request(method, path, headers=given,
                                         content=FORMS[0] if headers else data))
        if sent.status_code >= 500 and sent.status_code != 503:
            raise AssertionError(f"status {sent.status_code}: {sent.text[:200]}")
        if sent.status_code >= 400:
            raise HDMError(str(sent.json()["error"]))
    return Target(seeds, call)


def _spelled(data: bytes) -> list[tuple[bytes, bytes]]:
    lines = data.replace(b"\r", b"").split(b"\n")
    return [(name.strip(), value.strip()) for name, _, value in
            (line.partition(b":") for line in lines) if name.strip() in HEADERS]


def _client() -> httpx.AsyncClient:
    project = Path(tempfile.mkdtemp(prefix="hdm-fuzz-"))
    service = Service([Line(LINE, project, ProductLine(source=Source(path="raw")), Params())],
                      Options(log=False))
    service.lines[LINE].slot.served = Served(LINE, "1", Judge(), RegionRule(0.5), {"line": LINE})
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=build_app(service)),
                             base_url="http://served", timeout=30)


_HEADS = [f"Content-Type: {FORM}\nX-Part: 17\n".encode(), b"Content-Type: image/png\nAccept: */*",
          b"Content-Type: multipart/form-data; boundary=xYzZy; charset=latin-1\nOrigin: null",
          b"Content-Type: application/json\nContent-Encoding: gzip\nContent-Length: 12"]
HTTP_TARGETS: dict[str, tuple[int, Callable[[], Target]]] = {
    "forms": (6000, forms),
    "headers of predict": (2000, partial(route, "POST", f"/v1/{LINE}/predict", "", _HEADS,
                                         headers=True)),
    "bodies of predict": (2000, partial(route, "POST", f"/v1/{LINE}/predict", FORM, FORMS)),
    "pictures to predict": (2000, partial(route, "POST", f"/v1/{LINE}/predict", "image/png",
                                          [PICTURE])),
    "feedback (JSON)": (2000, partial(route, "POST", f"/v1/{LINE}/feedback", "application/json",
                                      WORDS)),
    "feedback (form)": (1000, partial(route, "POST", f"/v1/{LINE}/feedback", FORM, FORMS)),
    "region (route)": (2000, partial(route, "PUT", f"/v1/{LINE}/region", "application/json",
                                     REGIONS))}
"""As `reading_targets.TARGETS`."""
