"""Files that take more than they may end a worker process, not the one that asked."""

import os
import signal
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from image_files import pixels, write
from PIL import Image

from hdm.dataset import allowance, decoding_pool, outside
from hdm.dataset.decoding_limits import DecodingLimits
from hdm.dataset.decoding_pool import LARGE, Task
from hdm.dataset.images import UnreadableImage, decode_image, pages, read_image
from hdm.errors import DataError, HDMError

TIGHT = DecodingLimits(pixels=3_000_000, seconds=0.15, seconds_a_megapixel=0.1, memory=48 * 2**20)


def encoded(image: np.ndarray, kind: str, mode: str | None = None, **how) -> bytes:
    from io import BytesIO

    buffer = BytesIO()
    Image.fromarray(image).convert(mode).save(buffer, kind, **how)
    return buffer.getvalue()


def tiff_of_one_tile_many_times(width: int, height: int, across: int, down: int) -> bytes:
    """Packed tiles of across x down px, all of which lie at one place of the file."""
    number = -(-width // across) * -(-height // down)
    content = zlib.compress(bytes(across * down), 9)
    start = 8 + 2 + 9 * 12 + 4
    tags = [(256, 1, width), (257, 1, height), (258, 1, 8), (259, 1, 8), (262, 1, 1),
            (322, 1, across), (323, 1, down), (324, number, start), (325, number, 0)]
    if number == 1:
        tags[-2:] = (324, 1, start + 8), (325, 1, len(content))
    else:
        tags[-1] = (325, number, start + 4 * number)
    head = struct.pack("<2sHIH", b"II", 42, 8, 9) + b"".join(
        struct.pack("<HHII", tag, 4, count, value) for tag, count, value in tags)
    place = start + 8 * number
    return head + bytes(4) + struct.pack(f"<{2 * number}I", *[place] * number,
                                         *[len(content)] * number) + content


def jpeg_of_scans(number: int) -> bytes:
    progressive = encoded(np.zeros((800, 800, 3), np.uint8), "JPEG", progressive=True)
    last = progressive.rfind(b"\xff\xda")
    return progressive[:last] + progressive[last:-2] * number + progressive[-2:]


def tiff_of_pages(number: int) -> bytes:
    """Headers of pages without pixels, one after the other."""
    tags = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in (
        (256, 8), (257, 8), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 8), (279, 64)))
    return struct.pack("<2sHI", b"II", 42, 8) + b"".join(
        struct.pack("<H", 9) + tags + struct.pack("<I", 8 + 114 * page)
        for page in range(1, number)) + struct.pack("<H", 9) + tags + bytes(4)


HOSTILE = {
    "strips": lambda: tiff_of_one_tile_many_times(8, 160_000, 8192, 16),
    "scans": lambda: jpeg_of_scans(3000),
    "one_tile": lambda: tiff_of_one_tile_many_times(16, 16, 8000, 8000),
    "pages": lambda: tiff_of_pages(20_000),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_takes_more_than_its_size_justifies_is_ended_and_named(kind) -> None:
    data = HOSTILE[kind]()
    assert len(data) < 2_500_000
    work = (lambda: Task("h.tif", TIGHT, pages, data)) if kind == "pages" else \
        (lambda: Task("h.tif", TIGHT, decode_image, data, "h.tif"))
    with pytest.raises(UnreadableImage, match=r"^h\.tif: expected .*than .*justifies; replace"):
        work().result()


@pytest.mark.parametrize("ended", [signal.SIGSEGV, signal.SIGKILL])
def test_a_worker_that_dies_is_one_sentence_and_another_takes_its_place(tmp_path, ended) -> None:
    file = write(tmp_path / "whole.png", pixels(3))
    with pytest.raises(UnreadableImage, match=r"^odd\.png: expected .* decoder"):
        Task("odd.png", TIGHT, signal.raise_signal, ended).result()
    assert (outside.read_image(file) == pixels(3)).all()


@pytest.mark.parametrize(("shape", "mode"), [((1000, 1000, 3), "RGBA"), ((1000, 1000), "LA")])
def test_the_memory_that_a_pixel_is_granted_is_enough(shape, mode) -> None:
    data = encoded(np.full(shape, 7, np.uint8), "PNG", mode, compress_level=1)
    found = Task("a.png", TIGHT, decode_image, data, "a.png").result()
    assert found.shape == shape and found.nbytes > LARGE


def test_pixels_and_errors_are_those_of_this_process(tmp_path) -> None:
    for name, image in (("small.png", pixels(1, 8, 8)), ("large.png", pixels(2, 400, 300, 3))):
        assert (outside.read_image(write(tmp_path / name, image)) == image).all()
    (tmp_path / "text.png").write_text("no picture")
    for read in (read_image, outside.read_image):
        with pytest.raises(DataError, match=r"text\.png: expected .*found a text file"):
            read(tmp_path / "text.png")
    assert outside.pages(tmp_path / "none.tif") == 1


def test_more_pixels_than_are_allowed_are_not_decoded() -> None:
    data = encoded(np.zeros((2000, 2000), np.uint8), "PNG")
    with pytest.raises(UnreadableImage, match="more than 3 megapixels"):
        Task("wide.png", TIGHT, decode_image, data, "wide.png").result()


def test_results_come_in_order_and_bad_files_among_them(tmp_path) -> None:
    files = [Path(f"{number}") for number in range(9)]
    assert list(outside.each(lambda file: outside.in_worker(_name, file, name=file), files)) == \
        [str(number) for number in range(9)]


def test_here_sizes_alone_are_checked() -> None:
    before = signal.getitimer(signal.ITIMER_PROF)
    allowance.claim(10_000, 10_000)
    assert signal.getitimer(signal.ITIMER_PROF) == before


def test_paths_start_where_this_process_is(tmp_path, monkeypatch) -> None:
    write(tmp_path / "here" / "a.png", pixels(5))
    for folder, name in ((tmp_path, "here/a.png"), (tmp_path / "here", "a.png")):
        monkeypatch.chdir(folder)
        assert (outside.read_image(name) == pixels(5)).all()
    with pytest.raises(UnreadableImage, match=r"^none\.png: expected .* found no such file"):
        outside.read_image("none.png")


def test_work_is_done_in_another_process() -> None:
    assert Task("pid", TIGHT, os.getpid).result() != os.getpid()


def test_workers_are_of_this_package_whatever_others_there_are(tmp_path) -> None:
    (tmp_path / "hdm/dataset").mkdir(parents=True)
    for folder in ("hdm", "hdm/dataset"):
        (tmp_path / folder / "__init__.py").write_text("")
    own = Path(decoding_pool.__file__).parents[2]
    script = (f"import sys; sys.path.insert(0, {str(own)!r})\n"
              "import hdm.dataset.outside as outside\n"
              f"sys.path.insert(0, {str(tmp_path)!r})  # as MLflow does with a model's code\n"
              "print(outside.in_worker(len, b'123', name='sound'))")
    found = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, text=True,
                           capture_output=True, timeout=60)
    assert (found.stdout, found.stderr) == ("3\n", "")


def test_workers_that_do_not_start_are_a_sentence(monkeypatch) -> None:
    monkeypatch.setattr(decoding_pool, "_pool", None)
    monkeypatch.setattr(decoding_pool, "_initialize", _fails)
    with pytest.raises(HDMError, match="pictures are decoded do not start"):
        Task("a.png", TIGHT, os.getpid)


def test_a_process_that_ends_while_its_workers_start_waits_for_them() -> None:
    """Ended meanwhile they write tracebacks, behind the sentence that the command ended with."""
    script = ("import time\nfrom hdm.dataset import decoding_pool\n"
              "def slowly(*_):\n    time.sleep(0.5)\n    print('they are there')\n"
              "decoding_pool._schedule = slowly\ndecoding_pool.start()\nraise SystemExit('no')")
    done = subprocess.run([sys.executable, "-c", script], text=True, capture_output=True,
                          timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (1, "they are there\n", "no\n")


def _fails() -> None:
    raise OSError("no")


def _name(file: Path) -> str:
    return file.name
