"""Thumbnails on disk: kept beside the cache, thrown away where they cannot be trusted."""

import errno
import os
import threading

import numpy as np
import pytest
from image_files import pixels, write
from small_sources import plain, run

from hdm.errors import HDMError
from hdm.ingest.decoding import decode_all
from hdm.ingest.thumbnails import BYTES, SIDE, LineThumbnails, ThumbnailFile, at_bits


def pictures(number):
    return np.random.default_rng(0).integers(0, 65536, (number, SIDE, SIDE), dtype=np.uint16)


def filled(file, values):
    assert [file.add(value.astype("<u2").tobytes()) for value in values] == \
        list(range(file.rows - len(values), file.rows))
    return file


def test_rows_come_back_in_any_order(tmp_path):
    values = pictures(9)
    file = filled(ThumbnailFile.unnamed(), values)
    for rows in ([0, 1, 2], [8, 3, 4, 4, 0], [], [7]):
        assert (file.read(np.array(rows, dtype=np.intp)) == values[rows]).all()


def test_a_named_file_is_taken_up_again_and_only_by_one(tmp_path):
    cache = tmp_path / "work" / "decoded.parquet"
    values = pictures(3)
    file = filled(ThumbnailFile.beside(cache, "", 0), values)
    assert ThumbnailFile.beside(cache, file.name, 3).name == ""  # another has it
    name = file.name
    del file
    again = ThumbnailFile.beside(cache, name, 2)
    assert again.name == name and again.add(values[0].tobytes()) == 2
    assert (again.read(np.arange(3)) == values[[0, 1, 0]]).all()


def test_a_file_that_is_cut_short_is_begun_anew(tmp_path):
    cache = tmp_path / "decoded.parquet"
    file = filled(ThumbnailFile.beside(cache, "", 0), pictures(3))
    name = file.name
    del file
    with (tmp_path / name).open("r+b") as stream:
        stream.truncate(2 * BYTES)
    assert ThumbnailFile.beside(cache, name, 3).name not in ("", name)


@pytest.mark.parametrize("name", ["../other.thumbnails", "/etc/hostname"])
def test_a_name_leads_nowhere_else(tmp_path, name):
    (tmp_path / "other.thumbnails").write_bytes(bytes(BYTES))
    file = ThumbnailFile.beside(tmp_path / "work" / "decoded.parquet", name, 1)
    assert file.rows == 0 and (tmp_path / "other.thumbnails").read_bytes() == bytes(BYTES)


def test_values_of_deep_pictures_are_those_of_the_lines_bits():
    values = np.full((2, SIDE, SIDE), 4095, dtype=np.uint16)
    file = filled(ThumbnailFile.unnamed(), values)
    seen = LineThumbnails(file, [0, 1], [16, 8], 12)[np.arange(2)]
    assert seen[0, 0, 0] == 65535 and seen[1, 0, 0] == 4095
    assert at_bits(values, 10).max() == 65535


def test_what_left_the_source_leaves_the_cache(tmp_path):
    source, cache = plain(tmp_path / "source", 60), tmp_path / "work/decoded.parquet"
    run(source, cache=cache)
    first, = cache.parent.glob("*.thumbnails")
    for file in sorted(source.glob("good/*.png"))[:30]:
        file.unlink()
    before = run(source, cache=cache).manifest.frame
    for number in range(40):
        write(source / f"good/new{number:03d}.png", pixels(900 + number))
    run(source, cache=cache)
    for number in range(40):
        (source / f"good/new{number:03d}.png").unlink()
    assert run(source, cache=cache).manifest.frame.equals(before)
    last, = cache.parent.glob("*.thumbnails")
    assert last != first and last.stat().st_size == len(before) * BYTES
    assert run(source, cache=cache).manifest.frame.equals(before)


def test_a_path_is_in_memory_once(tmp_path):
    """Of a million pictures the paths that decoders and the cache bring are a million more."""
    write(tmp_path / "a.png", pixels(seed=1))
    cache = tmp_path / "decoded.parquet"
    for _ in ("decoded", "from the cache"):
        path = "".join(["a", ".png"])  # another object each time
        (key, fact), = decode_all(tmp_path, [path], cache).facts.items()
        assert key is path and fact.path is path and fact.row == 0


def test_a_full_disk_leaves_nobody_waiting_for_a_decoder(tmp_path, monkeypatch):
    def full(self, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    paths = [f"{number}.png" for number in range(40)]
    for number, path in enumerate(paths):
        write(tmp_path / path, pixels(number))
    monkeypatch.setattr(ThumbnailFile, "add", full)
    before = set(threading.enumerate())
    with pytest.raises(HDMError, match="room on the disk") as held:
        decode_all(tmp_path, paths)
    assert held.tb  # with its frames, as it is kept until it has been told
    new = set(threading.enumerate()) - before
    assert not [one.name for one in new if one.name.startswith("ThreadPoolExecutor")]
