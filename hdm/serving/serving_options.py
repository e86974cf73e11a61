"""How a server behaves; one object that the command line fills."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hdm.dataset.decoding_limits import DecodingLimits
from hdm.errors import ConfigError

BackendName = Literal["torch", "onnx"]
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Options:
    """max_bytes: of one request. max_pixels: of one image. max_images: of one request. batch:
    images judged at once. gather: seconds that a batch waits for more of what is already on its
    way. queue: images of a line that may be waiting or judged. memory: bytes of decoded images
    that may wait at once, of all lines. patience: seconds for one request. poll: seconds between
    two looks at the registry. retry: seconds before a version that did not load is tried again.
    log: whether predictions are logged. api_key: None lets everyone in.

    hosts: names by which the server may be asked; "*" is every address in figures. connections: in
    all, and of one client; requests: of one client, at work at once. header_patience: seconds for
    the headers of a request. body_rate: least bytes a second of a body, but for its first
    body_patience seconds. body_memory: bytes of bodies that are held at once, of all requests.
    """

    backend: BackendName = "torch"
    max_bytes: int = 32 * 2**20
    max_pixels: int = 32_000_000
    max_images: int = 64
    batch: int = 16
    gather: float = 0.004
    queue: int = 512
    memory: int = 2**30
    patience: float = 30.0
    poll: float = 5.0
    retry: float = 60.0
    log: bool = True
    api_key: str | None = None
    hosts: frozenset[str] = LOOPBACK
    connections: int = 512
    client_connections: int = 256
    client_requests: int = 256
    header_patience: float = 10.0
    body_rate: int = 1024
    body_patience: float = 5.0
    body_memory: int = 2**30

    @property
    def decoding(self) -> DecodingLimits:
        """What the decoding of one image may take."""
        return DecodingLimits(pixels=self.max_pixels, longest=self.patience)


def read_api_key(variable: str, file: Path | None) -> str | None:
    """The key from an environment variable or a file; never from the command line, where every
    user of the machine could read it. None if neither is named.

    Raises ConfigError if what is named holds no key.
    """
    if variable and file:
        raise ConfigError("expected one of --api-key-env and --api-key-file, received both.")
    if variable:
        key = os.environ.get(variable, "").strip()
        if not key:
            raise ConfigError(f"the environment variable {variable} holds no key; set it, or leave "
                              "--api-key-env out.")
        return _usable(key, f"the environment variable {variable}")
    if file:
        try:
            key = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cannot read the key in {file} ({error}); write it there as one "
                              "line of text.") from None
        if not key:
            raise ConfigError(f"{file} holds no key; write it there as one line of text.")
        return _usable(key, str(file))
    return None


def _usable(key: str, place: str) -> str:
    if not key.isprintable():
        raise ConfigError(f"{place} holds a key that no header can carry; expected one line of "
                          "letters and signs.")
    return key
