"""From a request's body to pixels, within limits that are kept while it arrives."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import IO, NamedTuple

import numpy as np
from fastapi import Request
from PIL import Image
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from hdm.dataset.images import FORMATS, UnreadableImage, decode_image
from hdm.serving.http_errors import HTTPProblem, too_large
from hdm.serving.serving_options import Options

IN_MEMORY = 2**20
"""Bytes of an upload beyond which it waits on the disk."""
LONGEST_NAME = 200
BYTES_A_PIXEL = 8
"""Of a decoded image and the anomaly map that it becomes."""


class Upload(NamedTuple):
    """One file of a request."""

    name: str
    content: IO[bytes]


async def uploads(request: Request, options: Options) -> list[Upload]:
    """The files of a multipart form, or the whole body as one image.

    Raises HTTPProblem as soon as the body is too large, and if there is no file in it.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > options.max_bytes:
        raise too_large(options.max_bytes)
    limited = Request(request.scope, _limited(request.receive, options.max_bytes))
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await _files(limited, options)
    content: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  # closed with the request
    async for chunk in limited.stream():
        content.write(chunk)
    if not content.tell():
        raise HTTPProblem(HTTPStatus.BAD_REQUEST, "expected an image file as the body, or a form "
                          "with files, received nothing.")
    content.seek(0)
    return [Upload(request.query_params.get("name", "image")[:LONGEST_NAME], content)]


async def _files(request: Request, options: Options) -> list[Upload]:
    try:
        form = await request.form(max_files=options.max_images, max_fields=options.max_images)
    except HTTPException as error:
        raise HTTPProblem(HTTPStatus.BAD_REQUEST, "the form cannot be read: "
                          f"{error.detail.rstrip('.')} (at most {options.max_images} files at "
                          "once).") from None
    files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    if not files:
        raise HTTPProblem(HTTPStatus.BAD_REQUEST, "expected a form with image files, received one "
                      "without a file.")
    return [Upload((file.filename or f"image {number}")[:LONGEST_NAME], file.file)
            for number, file in enumerate(files, 1)]


def _limited(receive: Receive, limit: int) -> Receive:
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


def pixels_of(upload: Upload, most: int) -> int:
    """How many pixels the header claims; raises UnreadableImage above `most`.

    0 where the header is not understood: decoding will say what is wrong.
    """
    try:
        with Image.open(upload.content, formats=FORMATS) as image:
            pixels = image.width * image.height
    except Image.DecompressionBombError:
        pixels = most + 1
    except Exception:
        pixels = 0
    finally:
        upload.content.seek(0)
    if pixels > most:
        raise UnreadableImage(upload.name, f"more than {most / 1e6:.3g} megapixels")
    return pixels


def decoded(upload: Upload) -> np.ndarray:
    """The pixels of an upload; raises DataError with one sentence."""
    upload.content.seek(0)
    return decode_image(upload.content.read(), upload.name)


class Memory:
    """Bytes that decoded images may take together; who finds none left waits."""

    def __init__(self, limit: int) -> None:
        self.limit, self.taken = limit, 0
        self._freed = asyncio.Condition()

    @asynccontextmanager
    async def room(self, wanted: int) -> AsyncIterator[None]:
        """Hold `wanted` bytes, at most all there are."""
        wanted = min(wanted, self.limit)
        async with self._freed:
            await self._freed.wait_for(lambda: self.taken + wanted <= self.limit)
            self.taken += wanted
        try:
            yield
        finally:
            self.taken -= wanted
            async with self._freed:
                self._freed.notify_all()
