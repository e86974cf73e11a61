"""Where a server listens, by which names it is asked, and who may ask."""

import ipaddress
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hdm.errors import ConfigError
from hdm.serving.own_key import own_key, own_key_file
from hdm.serving.serving_options import LOOPBACK
from hdm.serving.trusted_origin import ANY_ADDRESS


class Entrance(NamedTuple):
    """listener: a bound socket. hosts: names by which the server may be asked. key: None lets
    everyone in. note: what whoever starts the server must know of that, or ""."""

    listener: socket.socket
    hosts: frozenset[str]
    key: str | None
    note: str

    def address(self, host: str) -> str:
        """The server's address, as a person types it."""
        place = f"[{host}]" if ":" in host else host
        return f"http://{place}:{self.listener.getsockname()[1]}"


def enter_at(host: str, port: int, key: str | None, no_key: bool, allowed: Sequence[str],
             project: Path) -> Entrance:
    """Listen at an address (port 0: any). Where others reach it and no key is given, the project's
    own key is asked for, unless `no_key`.

    Bound here: a port that is taken is told in one sentence, and before anything slow is loaded.
    Raises ConfigError if both a key and `no_key` are given, or it cannot listen there.
    """
    if no_key and key:
        raise ConfigError("expected a key or --no-key, received both.")
    listener = listen(host, port)
    address = listener.getsockname()[0]
    note = ""
    if not ipaddress.ip_address(address.partition("%")[0]).is_loopback and not key:
        if no_key:
            note = "everyone who reaches this address may use it"
        else:
            key = own_key(project)
            note = f"requests need the key in {own_key_file(project)} as header X-API-Key"
    return Entrance(listener, _hosts(host, address, allowed), key, note)


def _hosts(host: str, address: str, more: Sequence[str]) -> frozenset[str]:
    """The names of this server: the loopback's, what it is bound to, and what was said. Bound to
    all addresses it is asked by any of them, and by the machine's name."""
    everywhere = ipaddress.ip_address(address.partition("%")[0]).is_unspecified
    bound = {ANY_ADDRESS, socket.gethostname()} if everywhere else {host, address}
    return LOOPBACK | {name.lower().strip("[].") for name in (*bound, *more)}


def listen(host: str, port: int) -> socket.socket:
    """A socket bound there; raises ConfigError where that cannot be."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # asyncio sends small packets at once (TCP_NODELAY) only where the protocol is named;
        # otherwise every answer waits 40 ms for the client's acknowledgement.
        made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
    except OSError as error:
        raise ConfigError(f"cannot listen at {host}:{port} ({error.strerror or error}); choose "
                          "another --host or --port.") from None
    return made
