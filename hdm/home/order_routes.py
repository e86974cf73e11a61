"""What a person may order of a line, each as the command that does it."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from hdm.home import orders, retraining
from hdm.line import Line
from hdm.orchestration.run_progress import read_progress
from hdm.progress import spoken
from hdm.serving.http_errors import HTTPProblem
from hdm.serving.json_bodies import json_object

LARGEST = 2**16
LONGEST = 500
Fields = dict[str, str]


def _words(order: str, line: str, given: Fields) -> tuple[str, ...]:
    """The command's words; an option and its value are one word, so that a value is no option.

    Raises HTTPProblem for an order that is not known, HDMError for one that cannot be given now.
    """
    why = f"--why={given.get('why', '')}"
    version, file = given.get("version", ""), given.get("file", "")
    made: dict[str, Callable[[], tuple[str, ...]]] = {
        "retrain": lambda: retraining.command(line),
        "monitor": lambda: ("hdm", "monitor", line),
        "promote": lambda: ("hdm", "promote", why, *_refused(given), "--", line, version),
        "rollback": lambda: ("hdm", "rollback", why, f"--to={version}", "--", line),
        "operating point": lambda: (
            "hdm", "operating-point", f"--false-alarms={given.get('rate', '')}", why, "--run",
            line),
        "take in": lambda: ("hdm", "inbox", line),
        "label": lambda: ("hdm", "inbox", f"--label={file}={given.get('label', '')}", line),
        "reject": lambda: ("hdm", "inbox", f"--reject={file}", why, line),
    }
    if order not in made:
        raise HTTPProblem(HTTPStatus.UNPROCESSABLE_ENTITY, f"order: expected one of "
                          f"{', '.join(made)}, received {order[:40]!r}.")
    return made[order]()


def _refused(given: Fields) -> list[str]:
    return ["--even-refused"] if given.get("even_refused") else []


NEEDS_WHY = ("promote", "rollback", "operating point", "reject")


def add_orders(app: FastAPI, line_of: Callable[[str], Line]) -> None:
    """Add what starts, shows and stops a command; line_of raises HTTPProblem for no line."""

    @app.post("/v1/{line}/orders")
    async def ordered(request: Request, line: str) -> Response:
        """Start a command; its state is at /v1/LINE/order."""
        chosen = line_of(line)
        given = fields(await json_object(request, LARGEST, "an order as JSON"))
        order, who = given.get("order", ""), given.get("who", "").strip()
        if not who:
            raise HTTPProblem(HTTPStatus.UNPROCESSABLE_ENTITY,
                              "say who you are, for the record.")
        if order in NEEDS_WHY and not given.get("why", "").strip():
            raise HTTPProblem(HTTPStatus.UNPROCESSABLE_ENTITY, "say why, for the record.")
        words = await asyncio.to_thread(_words, order, line, given)
        await asyncio.to_thread(orders.begin, chosen, words, who)
        return JSONResponse(_state(chosen))

    @app.get("/v1/{line}/order")
    async def state(line: str) -> Response:
        """The command that runs, or the last one, with the end of its output."""
        return JSONResponse(await asyncio.to_thread(_state, line_of(line)))

    @app.post("/v1/{line}/stop")
    async def stopped(line: str) -> Response:
        """Ask the command that runs to end."""
        chosen = line_of(line)
        await asyncio.to_thread(retraining.stop, chosen)
        return JSONResponse(_state(chosen))


def _state(line: Line) -> dict[str, Any]:
    order = orders.last(line)
    if order is None:
        return {"state": "none", "command": "", "who": "", "seconds": None, "output": [],
                "progress": None}
    return {"state": order.state, "command": order.command, "who": order.who,
            "seconds": order.seconds, "output": orders.output(line),
            "progress": _progress(line, order.seconds or 0.0) if order.running else None}


def _progress(line: Line, past: float) -> dict[str, Any] | None:
    """How far the run of the line is: a sentence, and a share of all, of time where that is known
    and else of stages. past: seconds since it was ordered."""
    found = read_progress(line)
    if found is None or not found.stage_number:
        return None
    sentence = f"stage {found.stage_number} of {found.of}, {found.stage}"
    if found.seconds_left is not None:
        return {"sentence": f"{sentence}, about {spoken(found.seconds_left)} left",
                "share": past / max(1.0, past + found.seconds_left)}
    inside = found.done / found.total if found.total else 0.0
    return {"sentence": sentence, "share": (found.stage_number - 1 + inside) / found.of}


def fields(content: dict[str, Any]) -> Fields:
    """Every field as text; raises HTTPProblem for what is none, or holds more than one row."""
    for name, value in content.items():
        if not isinstance(value, str) or len(value) > LONGEST or not value.isprintable():
            raise HTTPProblem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name[:40]}: expected one row of "
                              f"text of at most {LONGEST} characters.")
    return content
