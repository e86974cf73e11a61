"""Closing a connection so that its client reads the answer, and so that it is closed for certain.

A socket that is closed while bytes of its client wait unread is reset, and the client may lose the
answer that says why. One that is closed while its own bytes wait to be sent stays open for as long
as the client likes.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

LINGER = 2.0
"""Seconds in which what a client still sends is thrown away."""
LINGER_BYTES = 2**18
"""Bytes that are thrown away in them."""


class LingeringTransport(asyncio.Transport):
    """What uvicorn uses of a transport; only `close` differs.

    unread: whether the client may still be sending. patience: seconds in which an answer that is
    on its way must be taken.
    """

    def __init__(self, transport: asyncio.Transport, unread: Callable[[], bool], patience: float
                 ) -> None:
        super().__init__()
        self._transport, self._unread, self._patience = transport, unread, patience
        self._closing, self._left = False, LINGER_BYTES

    def close(self) -> None:
        """Send what waits and say that no more will come; the rest of a request is dropped."""
        if self.is_closing():
            return
        self._closing = True
        waits = self._transport.get_write_buffer_size()
        if self._unread():
            with suppress(OSError):  # it is gone already
                self._transport.write_eof()
            self._transport.resume_reading()
        else:
            self._transport.close()
        asyncio.get_running_loop().call_later(self._patience if waits else LINGER, self.abort)

    def drop(self, size: int) -> None:
        """Count bytes that came after the end."""
        self._left -= size
        if self._left < 0:
            self.abort()

    def abort(self) -> None:
        """Close at once; what the client did not take is not kept for it by the kernel either."""
        self._closing = True
        if self._transport.get_write_buffer_size():
            with suppress(OSError):
                self.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def is_closing(self) -> bool:
        """Whether nothing more can be said."""
        return self._closing or self._transport.is_closing()

    def write(self, data: Any) -> None:
        """Send, unless it is closing."""
        if not self.is_closing():
            self._transport.write(data)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Addresses and the socket."""
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Let the client wait."""
        if not self.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Go on."""
        if not self.is_closing():
            self._transport.resume_reading()
