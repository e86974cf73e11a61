"""From a request's body to pixels, within limits that are kept while it arrives.

What a request is taken for is decided here:

* A form: each part is a file, or a text field that holds no picture. A text field is not read and
  named in the answer; one that may hold a picture makes the whole request 400. So there are as many
  answers as pictures, or none.
* A body that is declared an image, octets or nothing is tried as one image. What is declared
  something else (JSON, text, PDF) is 415; `curl --data-binary` declares every body as a form of
  values, so with that type the first bytes decide.
* A text field `part`, the header X-Part or `?part=` names the physical part that all pictures of
  the request show.
* What cannot be judged is told. It is logged as an undecidable image, and so counted by the drift
  tests, only if its first bytes claim to be an image: a client's mistake is no change of a camera.
  (`hdm predict --log` logs every file that it was told to judge: there is no client in between.)
"""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import IO, NamedTuple

from fastapi import Request
from starlette.types import Message, Receive

from hdm.dataset.image_magic import HEAD, claims_to_be_an_image
from hdm.serving.form_files import files_and_fields, part_name
from hdm.serving.form_parts import media_type, read_parts, spool
from hdm.serving.http_errors import HTTPProblem, too_large
from hdm.serving.serving_options import Options

LONGEST_NAME = 4096
FORM = "multipart/form-data"
CURL = "application/x-www-form-urlencoded"


class Upload(NamedTuple):
    """One file of a request. part: the physical part that it shows, "" if that was not said."""

    name: str
    content: IO[bytes]
    part: str = ""


class Received(NamedTuple):
    """files: at least one. not_read: names of the form's text fields."""

    files: list[Upload]
    not_read: list[str]


async def uploads(request: Request, options: Options) -> Received:
    """The files of a multipart form, or the whole body as one image.

    Raises HTTPProblem as soon as the body is too large; if there is no file in it; if it may hold
    a picture that would not be judged.
    """
    declared = request.headers.get("content-length", "0")
    # A number, as `RequestLimits` has seen to; none is too long for a float.
    if float(declared) > options.max_bytes:
        raise too_large(options.max_bytes)
    stream = Request(request.scope, limited(request.receive, options.max_bytes)).stream()
    try:
        check_coding(request.headers.get("content-encoding", ""))
        content_type = request.headers.get("content-type", "")
        if media_type(content_type) == FORM:
            parts = await read_parts(content_type, stream, options.max_images)
            form = files_and_fields(parts, options.max_images)
            shown = form.part or _part(request)
            return Received([Upload(part.file_name or f"image {number}", part.content, shown)
                             for number, part in enumerate(form.files, 1)],
                            [part.field_name for part in form.fields])
        body = await _body(request, media_type(content_type), stream)
        return Received([body._replace(part=_part(request))], [])
    except HTTPProblem as problem:
        if problem.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNSUPPORTED_MEDIA_TYPE):
            # A client that is still sending would not see the answer.
            async for _ in stream:
                pass
        raise


def _part(request: Request) -> str:
    """The physical part that a request names in its address or a header."""
    return part_name(request.query_params.get("part", "") or request.headers.get("x-part", ""))


def check_coding(coding: str) -> None:
    """Raise HTTPProblem for a compressed body."""
    if coding.strip().lower() not in ("", "identity"):
        raise HTTPProblem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "expected a body as it is, received "
                          f"one with Content-Encoding {coding[:40]}; send it without.")


async def _body(request: Request, declared: str, stream: AsyncIterator[bytes]) -> Upload:
    if not (not declared or declared.startswith("image/") or declared.endswith("octet-stream")
            or declared == CURL):
        raise _no_image(declared)
    name = request.query_params.get("name", "image")
    if len(name) > LONGEST_NAME:
        raise HTTPProblem(HTTPStatus.BAD_REQUEST, f"expected a name of at most {LONGEST_NAME} "
                          f"characters, received {len(name)}; shorten it.")
    content = spool()
    try:
        async for chunk in stream:
            content.write(chunk)
        if not content.tell():
            raise HTTPProblem(HTTPStatus.BAD_REQUEST, "expected an image file as the body, or a "
                              "form with files, received nothing.")
        content.seek(0)
        if declared == CURL and not claims_to_be_an_image(content.read(HEAD)):
            raise _no_image(declared)
    except BaseException:
        content.close()
        raise
    content.seek(0)
    return Upload(name, content)


def _no_image(declared: str) -> HTTPProblem:
    return HTTPProblem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "expected an image file as the body, or "
                       f"a form with files, received {declared[:80]}.")


def limited(receive: Receive, limit: int) -> Receive:
    """`receive`, refusing as soon as more than `limit` bytes have come: a length may be a lie."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise too_large(limit)
        return message

    return counted
