"""New images never overwrite old ones or take over their masks."""

import pytest
from image_files import fill, mask, mvtec, pixels, write

from hdm.errors import ConfigError
from hdm.inbox.placing import Places, layout_of
from hdm.ingest.build_manifest import ingest
from hdm.ingest.readers import Record
from hdm.pipelines import Source
from hdm.settings import Ingest

HASH = "0123456789abcdef" * 4


def names(places, *images):
    return [places.take(Record(path, None, kind, mask), HASH) for path, kind, mask in images]


def test_folders_of_each_layout(tmp_path):
    images = (("good/a.png", "good", None), ("dent/b.PNG", "dent", "ground_truth/dent/b.TIF"))
    assert names(Places(tmp_path, "folder"), *images) == [
        ("good/a.png", None), ("dent/b.PNG", "ground_truth/dent/b_mask.tif")]
    assert names(Places(tmp_path, "mvtec"), *images) == [
        ("train/good/a.png", None), ("test/dent/b.PNG", "ground_truth/dent/b_mask.tif")]


def test_taken_names_get_digits_of_the_pixels(tmp_path):
    write(tmp_path / "good/sub/a.jpg", pixels(1))
    mask(tmp_path / "ground_truth/dent/orphan_mask.png")
    assert names(Places(tmp_path, "folder"), ("a.png", "good", None), ("good/a.png", "good", None),
                 ("dent/orphan.png", "dent", None), ("good/mon/b.png", "good", None)) == [
        ("good/a-01234567.png", None), (f"good/a-{HASH}.png", None),
        ("dent/orphan-01234567.png", None), ("good/mon-b.png", None)]


@pytest.mark.parametrize("layout", ["folder", "mvtec"])
def test_ingest_finds_what_was_placed_with_its_mask(tmp_path, layout):
    if layout == "mvtec":
        mvtec(tmp_path)
    else:
        fill(tmp_path / "good", 12, 0)
    assert layout_of(tmp_path, Source(path="x")) == layout
    image, its_mask = Places(tmp_path, layout).take(
        Record("scratch/000.png", None, "scratch", "ground_truth/scratch/000.png"), HASH)
    write(tmp_path / image, pixels(999))
    mask(tmp_path / its_mask)
    rows = {row.path: row for row in ingest(tmp_path, layout, Ingest(), 0).manifest}
    assert (rows[image].defect_type, rows[image].mask_path) == ("scratch", its_mask)


def test_other_formats_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"of the format folder or mvtec, and .* of the format "
                                          "table; add the images"):
        layout_of(tmp_path, Source(path="x", format="table"))
