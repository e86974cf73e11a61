"""The region of a line over HTTP: what is inspected, and the page on which it is drawn."""

import asyncio
import base64
import io
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import numpy as np
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from PIL import Image

from hdm.dataset.ignore_mask import IgnoreMask
from hdm.dataset.images import read_image
from hdm.dataset.line_region import LineRegion, region_of
from hdm.dataset.manifest import Manifest
from hdm.dataset.region_file import (
    TRIAL,
    clear_region,
    ignored_pixels,
    read_region,
    write_region,
)
from hdm.drawing.hatching import GREY
from hdm.drawing.heatmaps import for_display
from hdm.errors import HDMError
from hdm.line import Line
from hdm.serving.answers import JPEG_QUALITY, VIEW_SIDE
from hdm.serving.http_errors import HTTPProblem
from hdm.serving.json_bodies import json_object
from hdm.serving.secured_page import secured
from hdm.serving.upload_page import region_page

LARGEST = 2**20
"""Bytes of a region: a hundred outlines of a thousand corners are less than three times that."""


def add_region(app: FastAPI, line_of: Callable[[str], Line], locked: bool, holder: list[Any],
               ) -> None:
    """Read and set a line's region, and the page that does both.

    line_of: raises HTTPProblem for a line that is not here. locked: the page asks for the key.
    """

    @app.get("/v1/{line}/region", dependencies=holder)
    async def shown(line: str) -> Response:
        """What of the line's pictures is inspected: outlines, and the ignored share."""
        chosen = line_of(line)
        return JSONResponse(await _told(_state, chosen))

    @app.put("/v1/{line}/region", dependencies=holder)
    async def replaced(request: Request, line: str) -> Response:
        """Set it; an empty region inspects whole pictures. The next training takes it."""
        chosen = line_of(line)
        content = await json_object(request, LARGEST, "a region as JSON")
        return JSONResponse(await _told(_replace, chosen, content))

    @app.get("/v1/{line}/region/picture", dependencies=holder)
    async def picture(line: str) -> Response:
        """A good picture of the line, to draw on."""
        chosen = line_of(line)
        return Response(await _told(_picture, chosen), media_type="image/jpeg")

    @app.get("/{line}/region", include_in_schema=False)
    async def drawn(line: str) -> Response:
        """A page on which the region is drawn."""
        name = line_of(line).name
        return secured(lambda nonce: region_page(name, locked, nonce))


async def _told(work: Any, *arguments: Any) -> Any:
    """Work with files in a thread of its own; what is wrong becomes an answer."""
    try:
        return await asyncio.to_thread(work, *arguments)
    except HDMError as error:
        raise HTTPProblem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None


def _state(line: Line) -> dict[str, Any]:
    region = read_region(line.region_file) or LineRegion()
    if region == LineRegion():
        return {"line": line.name, "region": {}, "ignored_share": 0.0, "mask": None}
    hidden = IgnoreMask.of(ignored_pixels(line.region_file, region, *TRIAL))
    mask = None
    if region.mask:
        alone = LineRegion(mask=region.mask)
        mask = _veil(IgnoreMask.of(ignored_pixels(line.region_file, alone, *TRIAL)))
    return {"line": line.name, "region": region.model_dump(mode="json", exclude_defaults=True),
            "ignored_share": hidden.share, "mask": mask}


def _replace(line: Line, content: dict[str, Any]) -> dict[str, Any]:
    region = region_of(content, "region")
    if region == LineRegion():
        clear_region(line.region_file)
    else:
        write_region(line.region_file, region)
    return _state(line)


def _picture(line: Line) -> bytes:
    if not line.manifest_file.is_file():
        raise HDMError(f"there is no picture of {line.name} here to draw on; choose one.")
    normals = Manifest.load(line.manifest_file, line.source_root).split("train")
    picture = for_display(read_image(normals.image_file(next(iter(normals)))))
    picture.thumbnail((VIEW_SIDE, VIEW_SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def _veil(mask: IgnoreMask) -> str:
    """A mask as a grey PNG in base64 that lets the picture through."""
    pixels = np.zeros((*TRIAL, 4), np.uint8)
    pixels[mask.touched(*TRIAL).numpy()] = (*GREY, 150)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")
