"""The parts of a multipart form, as other clients than browsers write them, too.

python-multipart splits the body; here each part's name is read. Nothing is skipped: where a part
cannot be told for certain, the form is refused in one sentence that says which part has what.
"""

import base64
import binascii
import logging
import quopri
import re
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from typing import IO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from hdm.dataset.problems import printable
from hdm.serving.http_errors import HTTPProblem

IN_MEMORY = 2**20
"""Bytes of an upload beyond which it waits on the disk."""
# What is wrong with a form is told to its sender: a log would grow by what strangers send.
logging.getLogger("python_multipart").setLevel(logging.ERROR)
HEADERS = 32
"""Most headers of one part."""


def spool() -> IO[bytes]:
    """A file for an upload; whoever made it closes it."""
    return tempfile.SpooledTemporaryFile(IN_MEMORY)


@dataclass(eq=False)
class Part:
    """A part of a form. number: from 1. headers: by their name in small letters. file_name: None
    where the part has none. content: at its beginning."""

    number: int
    headers: dict[str, bytes] = field(default_factory=dict)
    field_name: str = ""
    file_name: str | None = None
    content: IO[bytes] = field(default_factory=spool)

    @property
    def media_type(self) -> str:
        """In small letters, without parameters; "" where none is declared."""
        return media_type(self.headers.get("content-type", b"").decode("latin-1"))

    @property
    def title(self) -> str:
        """What a sentence calls it."""
        return f"part {self.number} of the form" + (f" ({self.field_name[:80]!r})"
                                                    if self.field_name else "")


def media_type(header: str) -> str:
    """Of a Content-Type, in small letters and without parameters."""
    return parse_options_header(header)[0].decode("latin-1").strip()


def refused(sentence: str) -> HTTPProblem:
    """A form that cannot be read."""
    return HTTPProblem(HTTPStatus.BAD_REQUEST, f"the form cannot be read: {sentence}")


async def read_parts(content_type: str, stream: AsyncIterator[bytes], files: int) -> list[Part]:
    """All parts of the form that `stream` brings.

    content_type: the header with the boundary. files: most files; there may be as many text fields
    beside them. Raises HTTPProblem; no file is left open then.
    """
    parameters = parse_options_header(content_type)[1]
    boundary = parameters.get(b"boundary", b"")
    if not boundary:
        raise refused("expected a boundary in its Content-Type, received none.")
    form = _Form(parameters.get(b"charset", b"").decode("latin-1"), files)
    seen = _Boundaries(boundary)
    try:
        parser = MultipartParser(boundary, {
            "on_part_begin": form.begin, "on_header_field": form.header_field,
            "on_header_value": form.header_value, "on_header_end": form.header_end,
            "on_headers_finished": form.named, "on_part_data": form.data,
            "on_part_end": form.end, "on_end": form.close}, max_header_count=HEADERS)
        async for chunk in stream:
            seen.look(chunk)
            parser.write(chunk)
        if not form.closed:
            raise refused("it ends before its last boundary; send it again as a whole.")
        # The parser passes over what follows the last boundary, and over a boundary that does not
        # stand in a line of its own: with it over a whole picture.
        if seen.count != len(form.parts) + 1:
            raise refused(f"its boundary occurs {seen.count} times for {len(form.parts)} parts; "
                          "each must begin a line that CR LF ends, and the last one end the form.")
    except BaseException as error:
        for part in form.parts:
            part.content.close()
        if isinstance(error, FormParserError):
            raise refused(f"{str(error)[:200]}, in part {len(form.parts)} of the form.") from None
        raise
    return form.parts


class _Form:
    """Gathers parts as the parser meets them."""

    def __init__(self, charset: str, files: int) -> None:
        self.parts: list[Part] = []
        self.closed = False
        self._charset, self._files = charset, files
        self._header, self._value = bytearray(), bytearray()

    def begin(self) -> None:
        if len(self.parts) >= 2 * self._files:
            raise refused(f"it has more than {2 * self._files} parts, expected at most "
                          f"{self._files} files at once.")
        self.parts.append(Part(len(self.parts) + 1))

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        name = self._header.decode("latin-1").lower()
        self.parts[-1].headers[name] = bytes(self._value)
        self._header, self._value = bytearray(), bytearray()

    def named(self) -> None:
        part = self.parts[-1]
        found = _disposition(part, self._charset)
        part.field_name, part.file_name = found.get("name") or "", found.get("filename")
        if part.media_type.startswith("multipart/"):
            raise refused(f"{part.title} is a {part.media_type} itself; send each file as a part "
                          "of its own.")

    def data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].content.write(data[start:end])

    def end(self) -> None:
        part = self.parts[-1]
        part.content.seek(0)
        coding = part.headers.get("content-transfer-encoding", b"").strip().lower()
        if coding in (b"base64", b"quoted-printable"):
            try:
                coded = part.content.read()
                plain = base64.b64decode(b"".join(coded.split()), validate=True) \
                    if coding == b"base64" else quopri.decodestring(coded)
            except binascii.Error as error:
                raise refused(f"{part.title} is no base64 ({error}).") from None
            part.content.seek(0)
            part.content.truncate()
            part.content.write(plain)
            part.content.seek(0)
        elif coding not in (b"", b"binary", b"8bit", b"7bit"):
            raise refused(f"{part.title} has the unknown Content-Transfer-Encoding "
                          f"{coding.decode('latin-1')[:80]!r}; send the file as it is.")

    def close(self) -> None:
        self.closed = True


class _Boundaries:
    """Counts the boundaries of a body that comes in pieces: all that begin or end a line."""

    def __init__(self, boundary: bytes) -> None:
        self.count = 0
        word = re.escape(b"--" + boundary)
        self._line = re.compile(rb"\n%b|%b(?:--|[ \t]{0,8}\r?\n)" % (word, word))
        self._longest = len(boundary) + 12
        self._tail = b"\n"

    def look(self, chunk: bytes) -> None:
        window, end = self._tail + chunk, 0
        for found in self._line.finditer(window):
            self.count += 1
            end = found.end()
        self._tail = window[max(end, len(window) - self._longest):]


def _disposition(part: Part, charset: str) -> dict[str, str]:
    """Parameters of the Content-Disposition; "filename*" (RFC 6266) before a plain "filename",
    which is often but a likeness of it. charset: of the form, for names in bytes."""
    header = Message()
    header["Content-Disposition"] = part.headers.get("content-disposition", b"").decode("latin-1")
    found: dict[str, str] = {}
    wrong: dict[str, str] = {}
    try:
        parameters = header.get_params([], "content-disposition")
    except (TypeError, ValueError, LookupError):
        raise refused(f"part {part.number} of the form has a Content-Disposition that cannot be "
                      "understood; send its name as filename=\"...\".") from None
    for key, value in parameters:
        name = key.lower()
        if isinstance(value, str):
            found.setdefault(name, _text(value.encode("latin-1"), charset))
            continue
        codec, _, extended = value
        try:
            found[name] = printable(extended.encode("latin-1").decode(codec or "utf-8"))
        except (LookupError, ValueError):
            wrong[name] = codec or "utf-8"
    for name, codec in wrong.items():
        if name not in found:
            raise refused(f"part {part.number} of the form has a {name}* that is no text in "
                          f"{codec[:40]!r}; send it in UTF-8.")
    return found


def _text(name: bytes, charset: str) -> str:
    """A name in bytes: in the form's charset or in UTF-8, and in Latin-1 if it is in neither."""
    for codec in (charset or "utf-8", "utf-8"):
        try:
            return printable(name.decode(codec))
        except (LookupError, ValueError):
            continue
    return name.decode("latin-1")
