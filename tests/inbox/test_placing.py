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
    return [places.take(Record(path, None, kind, masks), HASH) for path, kind, masks in images]


def test_folders_of_each_layout(tmp_path):
    images = (("good/a.png", "good", ()), ("dent/b.PNG", "dent", ("ground_truth/dent/b.TIF",)))
    assert names(Places(tmp_path, "folder"), *images) == [
        ("good/a.png", ()), ("dent/b.PNG", ("ground_truth/dent/b_mask.tif",))]
    assert names(Places(tmp_path, "mvtec"), *images) == [
        ("train/good/a.png", ()), ("test/dent/b.PNG", ("ground_truth/dent/b_mask.tif",))]


def test_taken_names_get_digits_of_the_pixels(tmp_path):
    write(tmp_path / "good/sub/a.jpg", pixels(1))
    mask(tmp_path / "ground_truth/dent/orphan_mask.png")
    assert names(Places(tmp_path, "folder"), ("a.png", "good", ()), ("good/a.png", "good", ()),
                 ("dent/orphan.png", "dent", ()), ("good/mon/b.png", "good", ())) == [
        ("good/a-01234567.png", ()), (f"good/a-{HASH}.png", ()),
        ("dent/orphan-01234567.png", ()), ("good/mon-b.png", ())]


@pytest.mark.parametrize("layout", ["folder", "mvtec"])
def test_ingest_finds_what_was_placed_with_its_mask(tmp_path, layout):
    if layout == "mvtec":
        mvtec(tmp_path)
    else:
        fill(tmp_path / "good", 12, 0)
    assert layout_of(tmp_path, Source(path="x")) == layout
    image, its_masks = Places(tmp_path, layout).take(
        Record("scratch/000.png", None, "scratch",
               ("ground_truth/scratch/000.png", "ground_truth/scratch/000_2.png")), HASH)
    write(tmp_path / image, pixels(999))
    for its_mask in its_masks:
        mask(tmp_path / its_mask)
    found = ingest(tmp_path, Source(path=str(tmp_path), format=layout), Ingest(), 0)
    rows = {row.path: row for row in found.manifest}
    assert (rows[image].defect_type, rows[image].mask_path) == ("scratch", f"{image}.png")
    assert len(its_masks) == 2 and not found.aside


def test_other_formats_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"of the format folder or mvtec, and .* of the format "
                                          "table; add the images"):
        layout_of(tmp_path, Source(path="x", format="table"))
