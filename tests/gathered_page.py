"""The page of a line with its pictures, put together as `hdm page` and Home do."""

from typing import Any

from hdm.line import Line
from hdm.monitoring.line_history import with_pictures, without_pictures
from hdm.monitoring.line_page import Page


def gathered(line: Line, client: Any, mlflow: Any) -> Page:
    page, champion = without_pictures(line, client)
    return with_pictures(line, page, champion, lambda: (client, mlflow))
