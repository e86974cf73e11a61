"""What the decoding of a picture from outside may take. The one place where these limits are set.

A picture may take as much time and memory as its size justifies: a file of a few pixels that
unpacks to gigabytes ends early, and a large picture gets what it needs.
"""

from dataclasses import dataclass

from hdm.dataset.not_read import MAX_PIXELS

WORKERS = 2
"""Processes that decode side by side."""


@dataclass(frozen=True)
class DecodingLimits:
    """pixels: of one picture. seconds: of processor time, and seconds_a_megapixel that its header
    claims on top. memory: bytes beyond what an idle worker has, and bytes_a_pixel on top; no format
    was seen to take more than 28. longest: seconds by the clock, as a disk may never answer."""

    pixels: int = MAX_PIXELS
    seconds: float = 2.0
    seconds_a_megapixel: float = 1.0
    memory: int = 256 * 2**20
    bytes_a_pixel: int = 32
    longest: float = 300.0

    def seconds_for(self, pixels: int) -> float:
        """Of a picture of so many pixels."""
        return self.seconds + self.seconds_a_megapixel * pixels / 1e6

    def memory_for(self, pixels: int) -> int:
        """In bytes."""
        return self.memory + self.bytes_a_pixel * pixels


LIMITS = DecodingLimits()
"""Of files on this machine; a server allows fewer pixels (`hdm serve --max-megapixels`)."""
