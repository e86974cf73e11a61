"""uvicorn's connection with what it leaves to a proxy: limits for clients that wait or never end.

One rule for all of them: a connection that waits for its client gives way to one that does not.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from hdm.serving.lingering_transport import LingeringTransport
from hdm.serving.serving_options import Options

MALFORMED = {
    431: "expected an address and headers of at most 16 KiB, received more.",
    501: "expected no Transfer-Encoding, or chunked, received another."}


class GuardedConnection(H11Protocol):
    """One connection. since: when it began to wait for its client."""

    options: ClassVar[Options]

    transport: LingeringTransport  # type: ignore[assignment]
    peer, since, gone = "", 0.0, False
    _timer: asyncio.TimerHandle | None = None

    @property
    def working(self) -> bool:
        """Whether a request's headers have come and its answer has not left."""
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def waiting(self) -> bool:
        """Whether it is the client's turn: to ask, to send the rest of a body, to read."""
        return (not self.working or self.cycle.more_body or self.flow.write_paused
                or self.transport.is_closing())

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, in place of another if there are too many."""
        guarded = LingeringTransport(transport, self._unread, self.options.patience)
        super().connection_made(guarded)
        self.peer, self.since = peer_of(self.client), self.loop.time()
        others: list[GuardedConnection] = [one for one in self.connections  # type: ignore[misc]
                                           if one is not self]
        if make_room(self.peer, others, self.options):
            self._watch()
        else:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "the server has too many connections, all "
                         "at work; try again in a second.")

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self.gone = True
        self._unwatch()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, as long as there is something to be read for."""
        if self.transport.is_closing():
            self.transport.drop(len(data))
            return
        if not self.working and self._timer is None:
            self.since = self.loop.time()
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """The client's turn again, if it waited for the answer.

        A body that was not read may have no end; and of requests sent in advance, which no usual
        client does, thousands would take turns with one of each other client.
        """
        self.since = self.loop.time()
        if self._unread():
            self.transport.close()
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """The client does not take its answer: it has so long, and no longer."""
        super().pause_writing()
        self._unwatch()
        self._timer = self.loop.call_later(self.options.patience, self.transport.abort)

    def resume_writing(self) -> None:
        """It does."""
        self._unwatch()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn says of what is no HTTP, with the status that h11 names."""
        error = sys.exception()
        status = HTTPStatus(getattr(error, "error_status_hint", HTTPStatus.BAD_REQUEST))
        self._refuse(status, MALFORMED.get(
            status, f"expected a request in HTTP/1.1, received another: {str(error)[:200]}."))

    def give_way(self) -> None:
        """Close at once."""
        self.gone = True
        self.transport.abort()

    def _watch(self) -> None:
        """Begin or end the time that headers may take."""
        if self.flow.write_paused:
            return
        begun = self.cycle is None or self.conn.trailing_data[0]
        if self.working or not begun or self.transport.is_closing():
            self._unwatch()
        elif self._timer is None:
            self._timer = self.loop.call_later(self.options.header_patience, self._expire)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        if self.conn.trailing_data[0]:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "expected the headers of a request within "
                         f"{self.options.header_patience:g} s, received a part of them.")
        else:
            self.transport.close()

    def _unread(self) -> bool:
        return bool(self.conn.trailing_data[0]) or self.conn.their_state not in (
            h11.IDLE, h11.DONE, h11.MUST_CLOSE, h11.CLOSED)

    def _refuse(self, status: HTTPStatus, sentence: str) -> None:
        """Say one sentence, if an answer has not begun, and close."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = json.dumps({"error": sentence}).encode()
            headers = [("Content-Type", "application/json"), ("Connection", "close"),
                       ("Content-Length", str(len(body)))]
            with suppress(h11.LocalProtocolError):  # no body for HEAD
                for event in (h11.Response(status_code=status, headers=headers,
                                           reason=status.phrase),
                              h11.Data(data=body), h11.EndOfMessage()):
                    self.transport.write(self.conn.send(event))
        if self.cycle is not None:
            # What works at the request is told that its client is gone.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._unwatch()
        self.transport.close()


def make_room(peer: str, others: Iterable[GuardedConnection], options: Options) -> bool:
    """Whether one more connection of a client is taken; one that waits may be closed for it.

    That is the one which has waited longest, of the client that has most connections.
    """
    open_ones = [one for one in others if not one.gone]
    crowd = [one for one in open_ones if one.peer == peer]
    if len(crowd) < options.client_connections:
        crowd = open_ones
        if len(crowd) < options.connections:
            return True
    held = Counter(one.peer for one in crowd)
    waiting = [one for one in crowd if one.waiting]
    if waiting:
        min(waiting, key=lambda one: (-held[one.peer], one.since)).give_way()
    return bool(waiting)


def peer_of(address: tuple[str, int] | None) -> str:
    """What counts as one client: an IPv4 address, or the network of 64 bits that one customer or
    machine has of IPv6."""
    try:
        found = ip_address((address or ("", 0))[0].partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or found.exploded[:19])
    return str(found)


def guarded(options: Options) -> Any:
    """The class for uvicorn's setting `http`."""
    return type("Guarded", (GuardedConnection,), {"options": options})
