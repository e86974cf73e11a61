"""Random trees: every file is used or aside with a reason, and only good parts are trained on."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_files import write
from plates import dent_mask, plate
from small_sources import run

from hdm.dataset.file_walk import walk
from hdm.dataset.images import decode_image
from hdm.errors import DataError
from hdm.ingest.readers import read_source
from hdm.pipelines import Source

GOODS = st.sampled_from(["good", "OK", "normal", "Good", "i.O."])
DEFECTS = st.lists(st.sampled_from(
    ["dent", "scratch", "Kratzer tief", "bad", "NG", "label off", "seg-loss", "crack_2"]),
    min_size=1, max_size=3, unique=True)
# Where the mask of <kind>/<number>.png may lie.
MASKS = st.sampled_from([
    "ground_truth/{kind}/{n}.png", "masks/{kind}/{n}_mask.png", "gt/{kind}/{n}.bmp",
    "Annotations/{kind}/{n}.png", "{kind}/{n}_mask.png", "{kind}/{n}_GT.png", "{kind}/{n}.bmp",
    "{kind}/masks/{n}.png", "areas/{kind}/{n}.png", "white on black/{kind}/{n}.png",
    "labels/{kind}/{n}/area.png", "{kind}/gt/{n}_label.tif", "nothing known/x{n}.png"])
STRAYS = st.lists(st.sampled_from([
    "notes.txt", "loose.png", ".hidden.png", "@eaDir/good/a.png", "good.csv/x.png", "Thumbs.db",
    "dent/info.json", "report.pdf", "more/deep/down.jpg", "good/.thumb/a.png", "._x.png",
    "a.heic"]),
    max_size=5, unique=True)
STYLES = {"white": lambda mask: mask.astype(np.uint8) * 255,
          "inverted": lambda mask: (~mask).astype(np.uint8) * 255,
          "labels": lambda mask: mask.astype(np.uint8) + 1}


def grow(root, layout, good, kinds, mask, style, strays):
    """Draw a source; returns what is no good part: paths of defects and of masks."""
    prefix = {"folder": ("", ""), "mvtec": ("train/", "test/")}[layout]
    good = good if layout == "folder" else "good"
    for number in range(14):
        write(root / f"{prefix[0]}{good}/{number:03d}.png", plate(number))
    other = set()
    for place, kind in enumerate(kinds):
        for number in range(3):
            seed = 1000 + 10 * place + number
            path = f"{prefix[1]}{kind}/{number:03d}.png"
            write(root / path, plate(seed, dent=True))
            drawn = mask.format(kind=kind, n=f"{number:03d}")
            if drawn.startswith(kind):
                drawn = prefix[1] + drawn
            write(root / drawn, STYLES[style](dent_mask(seed)))
            other |= {path, drawn}
    for stray in strays:
        file = root / stray
        if file.suffix in (".png", ".jpg"):
            write(file, plate(7000 + len(stray)))
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"x")
    return other


TREES = st.tuples(st.sampled_from(["folder", "mvtec"]), GOODS, DEFECTS, MASKS,
                  st.sampled_from(sorted(STYLES)), STRAYS)


@settings(max_examples=60, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=TREES)
def test_whatever_the_layout(tmp_path_factory, tree):
    root = tmp_path_factory.mktemp("tree")
    other = grow(root, *tree)
    found_files = {file.relative_to(root).as_posix() for file in walk(root)}
    try:
        reading = read_source(root, Source(path=str(root)))
        result = run(root)
    except DataError as error:  # a question, never a guess
        assert any(word in str(error) for word in (
            "say `--folder", "could belong to more than one", "drawn in a few flat tones",
            "named like", "cannot be used", "more than one layout")), error
        return
    used = {path for record in reading.records for path in (record.path, *record.masks)}
    assert used | set(reading.documents) | set(reading.aside) == found_files
    assert not used & set(reading.aside)
    assert all(reading.aside.values())
    learned = set(result.manifest.frame["path"][
        result.manifest.frame["split"].isin(("train", "calibration"))])
    assert not learned & other
    assert not {record.path for record in reading.records if not record.label} & other


@settings(max_examples=40, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=TREES.filter(lambda tree: "nothing known" not in tree[3] and not tree[5]))
def test_masks_are_found_wherever_they_lie(tmp_path_factory, tree):
    """Without strays a layout is read, each defect with its own mask, or a question is asked."""
    root = tmp_path_factory.mktemp("tree")
    grow(root, *tree)
    try:
        result = run(root)
    except DataError as error:
        assert "say `--folder" in str(error)
        return
    masks = result.truth.masks
    rows = {row.path: row for row in result.manifest}
    for place, kind in enumerate(tree[2]):
        for number in range(3):
            path = f"{'test/' if tree[0] == 'mvtec' else ''}{kind}/{number:03d}.png"
            assert rows[path].label == 1 and rows[path].split in ("test", "holdout")
            np.testing.assert_array_equal(decode_image(masks[path].png, path) > 0,
                                          dent_mask(1000 + 10 * place + number))
