"""Every layout x format x depth: each image is decoded to the pixels that were written."""

import json

import numpy as np
import pytest
from image_files import write
from picture_formats import CELLS, DEPTHS, of_depth
from plates import HEIGHT, WIDTH, dent_mask, plate
from small_sources import run

from hdm.dataset.aside import is_question
from hdm.dataset.images import pixel_hash, read_image
from hdm.ingest.readers import read_source
from hdm.pipelines import Source

OUTLINE = [10, 8, 22, 8, 22, 20, 10, 20]


def mask(root, path, seed):
    write(root / path, dent_mask(seed).astype(np.uint8) * 255)


def in_folders(good, defect, masks=""):
    """Good and defective images in a folder each; `masks` is where a mask lies."""
    def build(root, put):
        for number in range(14):
            put(f"{good}/{number:03d}", number, "good")
        for number in range(3):
            put(f"{defect}/{number:03d}", 1000 + number, "defect")
            if masks:
                mask(root, masks.format(f"{number:03d}"), 1000 + number)
        return root
    return build


def public(layout):
    """Layouts of public sets, with a split of their own."""
    train, test_good, defect, masks = {
        "mvtec": ("train/good", "test/good", "test/dent", "ground_truth/dent/{}_mask.png"),
        "loco": ("train/good", "test/good", "test/dent", "ground_truth/dent/{}/000.png"),
        "advanced": ("train/good", "test_public/good", "test_public/bad",
                     "test_public/ground_truth/bad/{}_mask.png"),
        "btad": ("train/ok", "test/ok", "test/ko", "ground_truth/ko/{}.png"),
        "visa": ("Data/Images/Normal", "Data/Images/Normal", "Data/Images/Anomaly",
                 "Data/Masks/Anomaly/{}.png")}[layout]

    def build(root, put):
        in_folders(train, defect, masks)(root, put)
        for number in range(4):
            put(f"{test_good}/9{number:02d}", 200 + number, "good")
        return root
    return build


def ksdd2(root, put):
    for split, first in (("train", 0), ("test", 100)):
        for number in range(14):
            bad = split == "test" and number < 3
            put(f"{split}/{number:05d}", first + number, "defect" if bad else "good")
            marked = dent_mask(first + number) & bad
            write(root / f"{split}/{number:05d}_GT.png", marked.astype(np.uint8) * 255)
    return root


def dagm(root, put):
    for split, first in (("Train", 0), ("Test", 100)):
        for number in range(14):
            bad = split == "Test" and number < 3
            put(f"{split}/{number:04d}", first + number, "defect" if bad else "good")
            if bad:
                mask(root, f"{split}/Label/{number:04d}_label.PNG", first + number)
    return root


def listed(write_document):
    """Images in one folder, told apart by a document beside them."""
    def build(root, put):
        paths = [put(f"images/{number:03d}", number, "good" if number < 14 else "defect")
                 for number in range(17)]
        return write_document(root, paths)
    return build


def table(root, paths):
    text = "".join(f"{path},{'OK' if number < 14 else 'NG'}\n" for number, path in enumerate(paths))
    (root / "parts.csv").write_text("file,result\n" + text)
    return root / "parts.csv"


def coco(root, paths):
    (root / "annotations.json").write_text(json.dumps({
        "images": [{"id": number, "file_name": path, "width": WIDTH, "height": HEIGHT}
                   for number, path in enumerate(paths)],
        "categories": [{"id": 1, "name": "dent"}],
        "annotations": [{"id": number, "image_id": number, "category_id": 1,
                         "bbox": [10, 8, 12, 12], "segmentation": [OUTLINE]}
                        for number in range(14, 17)]}))
    return root


def yolo(root, paths):
    (root / "data.yaml").write_text("names: [dent]\n")
    for number, path in enumerate(paths):
        outline = [value / (HEIGHT if place % 2 else WIDTH) for place, value in enumerate(OUTLINE)]
        text = f"0 {' '.join(map(str, outline))}\n" if number >= 14 else ""
        file = root / f"labels/{path.split('/')[1].rsplit('.', 1)[0]}.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return root


def labelme(root, paths):
    points = [OUTLINE[place:place + 2] for place in range(0, 8, 2)]
    for number, path in enumerate(paths):
        shapes = [{"label": "dent", "points": points, "shape_type": "polygon"}] * (number >= 14)
        name = path.split("/")[1]
        (root / "images" / f"{name.rsplit('.', 1)[0]}.json").write_text(json.dumps(
            {"imagePath": name, "imageWidth": WIDTH, "imageHeight": HEIGHT, "shapes": shapes}))
    return root


def lookout(root, paths):
    lines = [json.dumps({
        "source-ref": f"s3://bucket/line/{path}", "anomaly-label": int(number >= 14),
        "anomaly-label-metadata": {"class-name": "anomaly" if number >= 14 else "normal",
                                   "type": "groundtruth/image-classification"}})
        for number, path in enumerate(paths)]
    (root / "train.manifest").write_text("\n".join(lines))
    return root


LAYOUTS = {
    "folder": in_folders("good", "dent", "masks/dent/{}.png"),
    "other names": in_folders("OK", "NG", "NG/{}_mask.png"),
    **{name: public(name) for name in ("mvtec", "loco", "advanced", "btad", "visa")},
    "ksdd2": ksdd2, "dagm": dagm,
    "table": listed(table), "coco": listed(coco), "yolo": listed(yolo),
    "labelme": listed(labelme), "lookout": listed(lookout)}


@pytest.mark.parametrize("depth, name", CELLS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_decoded_as_written(tmp_path, layout, depth, name):
    form = DEPTHS[depth][0][name]
    written, labels = {}, {}

    def put(path, seed, label):
        path += form.suffix
        pixels = of_depth(plate(seed, dent=label != "good"), depth)
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        form.write(tmp_path / path, pixels)
        written[path], labels[path] = pixels, label
        return path

    source = LAYOUTS[layout](tmp_path, put)
    result = run(source)
    rows = {row.path: row for row in result.manifest}
    assert rows.keys() == written.keys()
    for path, pixels in written.items():
        row = rows[path]
        assert row.label == (labels[path] != "good")
        assert (row.width, row.height) == (WIDTH, HEIGHT)
        assert row.bits == DEPTHS[depth][1]
        if form.tolerance:
            away = np.abs(read_image(tmp_path / path).astype(int) - pixels)
            assert away.max() <= form.tolerance
        else:
            assert row.sha256 == pixel_hash(pixels)
    reading = read_source(source, Source(path=str(source)))
    assert not {path: reason for path, reason in reading.aside.items() if is_question(reason)}
    learned = [row for row in rows.values() if row.split in ("train", "calibration")]
    assert learned and not any(row.label for row in learned)
    if layout not in ("table", "lookout"):
        assert len(result.truth.masks) == 3
