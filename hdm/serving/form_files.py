"""Which parts of a form are files, and which text that may be left unread."""

import base64
import codecs
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import NamedTuple

from hdm.dataset.image_magic import HEAD, claims_to_be_an_image
from hdm.serving.form_parts import Part, refused
from hdm.serving.http_errors import HTTPProblem

LONGEST_TEXT = 4096
"""Bytes of a text field beyond which it may be anything."""
USUAL_FIELD, PART_FIELD = "files", "part"
LONGEST_PART = 200
"""Characters of a part's name."""
_CODED = re.compile(rb"[A-Za-z0-9+/]{40,84}")
"""The beginning of a file in base64, in a data URL or in JSON."""


class FormContent(NamedTuple):
    """files: at least one. fields: text fields that are not read, closed. part: what the field
    `part` says, "" without one."""

    files: list[Part]
    fields: list[Part]
    part: str


def part_name(text: str) -> str:
    """The name of a physical part, as a client says it; raises HTTPProblem for a long one."""
    if len(text) > LONGEST_PART:
        raise HTTPProblem(HTTPStatus.BAD_REQUEST, f"expected the name of a part of at most "
                          f"{LONGEST_PART} characters, received {len(text)}; shorten it.")
    return text.strip()


def files_and_fields(parts: Sequence[Part], most: int) -> FormContent:
    """Files, at most `most`, and text fields without a picture.

    Raises HTTPProblem if a field may hold a picture; all parts are closed then.
    """
    files = [part for part in parts if _is_file(part)]
    fields = [part for part in parts if not _is_file(part)]
    try:
        if len(files) > most:
            raise refused(f"it has {len(files)} files, expected at most {most} files at once.")
        names = {USUAL_FIELD, *(file.field_name for file in files)}
        for part in fields:
            if why := _doubtful(part, names):
                raise HTTPProblem(HTTPStatus.BAD_REQUEST, f"expected image files, but {part.title} "
                                  f"{why}; send the picture itself, with a file name.")
        if not files:
            raise HTTPProblem(HTTPStatus.BAD_REQUEST, "expected a form with image files, received "
                              "one without a file.")
        said = {part_name(_head(part, LONGEST_TEXT).decode("utf-8", "replace")) for part in fields
                if part.field_name == PART_FIELD} - {""}
        if len(said) > 1:
            raise refused(f"it names {len(said)} parts, expected the one that all its pictures "
                          "show; send a form for each.")
    except HTTPProblem:
        for part in parts:
            part.content.close()
        raise
    for part in fields:
        part.content.close()
    return FormContent(files, [part for part in fields if part.field_name != PART_FIELD],
                       "".join(said))


def _is_file(part: Part) -> bool:
    """By its file name, its media type, or its first bytes."""
    declared = part.media_type
    return (part.file_name is not None or declared.startswith("image/")
            or declared.endswith("octet-stream") or claims_to_be_an_image(_head(part, HEAD)))


def _doubtful(part: Part, file_fields: set[str]) -> str:
    """Why a text field may be a picture that was sent wrongly; "" if nothing says so."""
    text = _head(part, LONGEST_TEXT + 1)
    if part.field_name in file_fields:
        return "has neither a file name nor the media type of an image"
    if not part.media_type.startswith("text/") and not _is_text(text):
        return "holds bytes that are no text in UTF-8, and has no file name"
    # Four characters are three bytes.
    if any(claims_to_be_an_image(base64.b64decode(coded[:len(coded) // 4 * 4]))
           for coded in _CODED.findall(text)):
        return "holds a picture as text (base64)"
    if len(text) > LONGEST_TEXT:
        return f"holds more than {LONGEST_TEXT} bytes of text"
    return ""


def _head(part: Part, size: int) -> bytes:
    part.content.seek(0)
    head = part.content.read(size)
    part.content.seek(0)
    return head


def _is_text(head: bytes) -> bool:
    try:
        return "\0" not in codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
