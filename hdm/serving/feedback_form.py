"""From a request's body to what a person says of a picture."""

from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import IO, NamedTuple

from fastapi import Request
from pydantic import BaseModel, ValidationError

from hdm.files import parse_json
from hdm.serving.form_parts import Part, media_type, read_parts, refused
from hdm.serving.http_errors import HTTPProblem
from hdm.serving.serving_options import Options
from hdm.serving.uploads import FORM, limited

FILES = 8
"""Parts of a form: the words below, and a picture and a mask."""
LONGEST = 10_000


class Words(BaseModel):
    """verdict: good or defect. row: id of a logged prediction whose picture was kept."""

    model_config = {"extra": "forbid"}

    verdict: str
    type: str = ""
    who: str = ""
    why: str = ""
    part: str = ""
    row: int | None = None
    confirm: bool = False


class Said(NamedTuple):
    """What was sent; picture and mask are None where none was. Whoever gets it closes them."""

    words: Words
    picture: Part | None
    mask: Part | None

    @property
    def files(self) -> list[IO[bytes]]:
        """To be closed."""
        return [part.content for part in (self.picture, self.mask) if part]


async def read_said(request: Request, options: Options) -> Said:
    """A form with `picture` and `mask` as files, or JSON where no file is sent.

    Raises HTTPProblem.
    """
    stream = Request(request.scope, limited(request.receive, options.max_bytes)).stream()
    content_type = request.headers.get("content-type", "")
    if media_type(content_type) != FORM:
        return Said(_words(await _json(stream)), None, None)
    parts = await read_parts(content_type, stream, FILES)
    try:
        files = {part.field_name: part for part in parts if part.field_name in ("picture", "mask")}
        texts = {part.field_name: part.content.read(LONGEST + 1).decode("utf-8")
                 for part in parts if part not in files.values()}
        if len(files) + len(texts) != len(parts):
            raise refused("a field is there twice.")
        said = Said(_words(texts), files.get("picture"), files.get("mask"))
    except BaseException as error:
        for part in parts:
            part.content.close()
        if isinstance(error, UnicodeDecodeError):
            raise refused("a field is no text in UTF-8.") from None
        raise
    for part in parts:
        if part not in files.values():
            part.content.close()
    return said


async def _json(stream: AsyncIterator[bytes]) -> Mapping[str, object]:
    body = b"".join([chunk async for chunk in stream])
    try:
        content = parse_json(body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise HTTPProblem(HTTPStatus.BAD_REQUEST, "expected a form or a JSON object with a "
                          "verdict, received neither.")
    return content


def _words(content: Mapping[str, object]) -> Words:
    try:
        return Words.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise HTTPProblem(HTTPStatus.UNPROCESSABLE_ENTITY,
                          f"{where}: {first['msg']}; expected the fields "
                          f"{', '.join(Words.model_fields)}.") from None
