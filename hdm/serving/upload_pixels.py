"""From an upload to pixels, within the memory that all requests share."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np

from hdm.dataset import images
from hdm.dataset.image_magic import HEAD, claims_to_be_an_image
from hdm.dataset.images import UnreadableImage
from hdm.errors import DataError
from hdm.serving.uploads import Upload

BYTES_A_PIXEL = 8
"""Of a decoded image and the anomaly map that it becomes."""


def is_picture(upload: Upload) -> bool:
    """Whether an upload's first bytes claim to be an image: if it cannot be judged, that counts."""
    upload.content.seek(0)
    return claims_to_be_an_image(upload.content.read(HEAD))


def pixels_of(upload: Upload, most: int) -> int:
    """How many pixels the header claims; raises UnreadableImage above `most`.

    0 where the header is not understood: decoding will say what is wrong.
    """
    upload.content.seek(0)
    pixels = images.claimed_pixels(upload.content.read())
    upload.content.seek(0)
    if pixels > most:
        raise UnreadableImage(upload.name, f"more than {most / 1e6:.3g} megapixels")
    return pixels


def decoded(upload: Upload) -> np.ndarray:
    """The pixels of an upload; raises DataError with one sentence, for a stack of pages, too."""
    upload.content.seek(0)
    content = upload.content.read()
    if (count := images.pages(content)) > 1:
        raise DataError(f"{upload.name}: expected one picture, found a stack of {count} pages; "
                        "send each as a picture of its own.")
    return images.decode_image(content, upload.name)


class Memory:
    """Bytes that decoded images may take together; who finds none left waits."""

    def __init__(self, limit: int) -> None:
        self.limit, self.taken = limit, 0
        self._freed = asyncio.Condition()

    @asynccontextmanager
    async def room(self, wanted: int) -> AsyncIterator[None]:
        """Hold `wanted` bytes, at most all there are."""
        wanted = min(wanted, self.limit)
        async with self._freed:
            await self._freed.wait_for(lambda: self.taken + wanted <= self.limit)
            self.taken += wanted
        try:
            yield
        finally:
            self.taken -= wanted
            async with self._freed:
                self._freed.notify_all()
