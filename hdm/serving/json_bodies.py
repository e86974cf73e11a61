"""A request's body as a JSON object that says one thing only."""

import json
from http import HTTPStatus
from typing import Any

from fastapi import Request

from hdm.serving.form_parts import media_type
from hdm.serving.http_errors import HTTPProblem
from hdm.serving.uploads import check_coding, limited

JSON = "application/json"


async def json_object(request: Request, most: int, what: str) -> dict[str, Any]:
    """The object. most: bytes. what: "a region as JSON", for the sentence.

    Raises HTTPProblem for another media type or coding (415), too many bytes (413), and for what
    is no object, names a key twice, or holds no number where it says so (400).
    """
    declared = media_type(request.headers.get("content-type", ""))
    if declared not in ("", JSON):
        raise HTTPProblem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"expected {what} ({JSON}), received "
                          f"{declared[:80]}.")
    check_coding(request.headers.get("content-encoding", ""))
    body = await Request(request.scope, limited(request.receive, most)).body()
    try:
        content = json.loads(body.decode("utf-8-sig"), object_pairs_hook=_once,
                             parse_constant=_refused)
        json.dumps(content, ensure_ascii=False).encode()  # half a character cannot be written down
    except (ValueError, RecursionError) as error:
        raise HTTPProblem(HTTPStatus.BAD_REQUEST, f"expected {what}, received other text "
                          f"({str(error)[:200]}).") from None
    if not isinstance(content, dict):
        raise HTTPProblem(HTTPStatus.BAD_REQUEST, f"expected {what}, an object, received "
                          f"{type(content).__name__}.")
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no number")
