"""From an upload to pixels: decoded in worker processes, within the memory all requests share."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Any

import numpy as np

from hdm.dataset import images
from hdm.dataset.decoding_limits import WORKERS, DecodingLimits
from hdm.dataset.decoding_pool import Task
from hdm.dataset.image_magic import HEAD, claims_to_be_an_image
from hdm.dataset.images import UnreadableImage
from hdm.errors import DataError
from hdm.serving.form_parts import IN_MEMORY
from hdm.serving.uploads import Upload

BYTES_A_PIXEL = 32
"""While an image is judged: its pixels (up to 6), what is made of them and the anomaly map (up to
20). What decoding takes is limited where it is done."""
SMALL = 250_000
"""Pixels of an image that is sooner dealt with than handed to another thread and back."""
LARGE = 4_000_000
"""Pixels of an image that may take seconds: one worker is always left for smaller ones."""


def is_picture(upload: Upload) -> bool:
    """Whether an upload's first bytes claim to be an image: if it cannot be judged, that counts."""
    upload.content.seek(0)
    return claims_to_be_an_image(upload.content.read(HEAD))


def decoded(upload: Upload, limits: DecodingLimits) -> np.ndarray:
    """The pixels of an upload, for threads that may wait; raises DataError with one sentence, for
    a stack of pages, too."""
    _checked(upload, limits, _task(upload, limits, _claim).result())
    pixels: np.ndarray = _task(upload, limits, images.decode_image, upload.name).result()
    return pixels


class UploadReader:
    """Decodes uploads without keeping the event loop waiting.

    limits: of one picture. memory: bytes of all pictures that are read and not answered.
    helpers: threads for what takes milliseconds.
    """

    def __init__(self, limits: DecodingLimits, memory: int, helpers: Executor) -> None:
        self._limits, self._memory, self._helpers = limits, Memory(memory), helpers
        # A task waits here, where it holds no file open, and not before the workers.
        self._tasks = asyncio.Semaphore(2 * WORKERS)
        self._large = asyncio.Semaphore(max(1, WORKERS - 1))

    @asynccontextmanager
    async def pixels(self, upload: Upload) -> AsyncIterator[np.ndarray]:
        """The picture, whose memory is held until this ends; raises as `decoded` does."""
        claim = _checked(upload, self._limits, await self._done(0, upload, _claim))
        async with self._memory.room(BYTES_A_PIXEL * claim):
            async with self._large if claim > LARGE else nullcontext():
                image = await self._done(claim, upload, images.decode_image, upload.name)
            yield image

    async def _done(self, pixels: int, upload: Upload, work: Callable[..., Any], *arguments: Any,
                    ) -> Any:
        async with self._tasks:
            small = upload.content.seek(0, 2) <= IN_MEMORY
            task = await self._aside(small, _task, upload, self._limits, work, *arguments)
            with suppress(Exception):  # told by the result; when the request ends, so does the task
                await asyncio.wrap_future(task.future)
            return await self._aside(pixels <= SMALL, task.result)

    async def _aside(self, here: bool, work: Callable[..., Any], *arguments: Any) -> Any:
        if here:
            return work(*arguments)
        return await asyncio.get_running_loop().run_in_executor(self._helpers, work, *arguments)


def _task(upload: Upload, limits: DecodingLimits, work: Callable[..., Any], *arguments: Any,
          ) -> Task:
    upload.content.seek(0)
    return Task(upload.name, limits, work, upload.content.read(), *arguments)


def _claim(content: bytes) -> tuple[int, int]:
    """Pixels that the header claims, 0 where it is not understood, and pages of a stack."""
    return images.claimed_pixels(content), images.pages(content)


def _checked(upload: Upload, limits: DecodingLimits, claim: tuple[int, int]) -> int:
    """The pixels that are claimed; raises DataError."""
    pixels, count = claim
    if pixels > limits.pixels:
        raise UnreadableImage(upload.name, f"more than {limits.pixels / 1e6:.3g} megapixels")
    if count > 1:
        raise DataError(f"{upload.name}: expected one picture, found a stack of {count} pages; "
                        "send each as a picture of its own.")
    return pixels


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
