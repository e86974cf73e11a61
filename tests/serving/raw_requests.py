"""Requests in bytes, as no client library would write them."""

import socket
from contextlib import suppress


def connect(port: int, data: bytes = b"", source: str = "127.0.0.1") -> socket.socket:
    """A connection over which `data` was sent. source: all of 127.0.0.0/8 is this machine."""
    made = socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(source, 0))
    with suppress(ConnectionError):
        made.sendall(data)
    return made


def answer(line: socket.socket) -> bytes:
    """All that comes until the server closes; what a reset cuts off is not waited for."""
    received = b""
    with suppress(ConnectionError):
        while chunk := line.recv(65536):
            received += chunk
    return received


def exchange(port: int, data: bytes) -> bytes:
    """The whole answer to `data`."""
    with connect(port, data) as line:
        return answer(line)


def talk(port: int, head: str, body: bytes = b"", *, length: bool = True
         ) -> tuple[int, dict, bytes]:
    """Status, headers and body of the answer to a request."""
    lines = [head, "Host: localhost", "Connection: close"]
    lines += [f"Content-Length: {len(body)}"] if length else []
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        received = b"".join(iter(lambda: line.recv(65536), b""))
    top, _, content = received.partition(b"\r\n\r\n")
    first, *others = top.decode("latin-1").split("\r\n")
    headers = dict(other.lower().split(": ", 1) for other in others)
    return int(first.split()[1]), headers, content
