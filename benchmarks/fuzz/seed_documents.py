"""Sound documents beside three pictures: tables, annotations, regions, words on a picture."""

import json

from benchmarks.fuzz.seed_pictures import GREY, saved

NAMES = ("a.png", "b.png", "c.png")
PICTURE = saved(GREY, "PNG")
_SQUARE = [[4, 4], [10, 4], [10, 9], [4, 9]]


def _json(*contents: object) -> list[bytes]:
    return [json.dumps(content).encode() for content in contents]


def _coco() -> object:
    return {"images": [{"id": n, "file_name": name, "width": 20, "height": 16}
                       for n, name in enumerate(NAMES)],
            "categories": [{"id": 0, "name": "good"}, {"id": 1, "name": "dent"}],
            "annotations": [
                {"id": 1, "image_id": 0, "category_id": 1, "bbox": [4, 4, 6, 5], "area": 30,
                 "segmentation": [[v for corner in _SQUARE for v in corner]]},
                {"id": 2, "image_id": 1, "category_id": 1, "bbox": [0, 0, 3, 3], "iscrowd": 1,
                 "segmentation": {"size": [16, 20], "counts": [10, 20, 290]}},
                {"id": 3, "image_id": 2, "category_id": 0}]}


def _labelme() -> object:
    return {"imagePath": "a.png", "imageWidth": 20, "imageHeight": 16, "flags": {}, "shapes": [
        {"label": "dent", "points": _SQUARE, "shape_type": "polygon"},
        {"label": "dent", "points": _SQUARE[:2], "shape_type": "circle"}]}


def _lookout() -> bytes:
    return b"\n".join(json.dumps({
        "source-ref": f"s3://bucket/{name}", "anomaly-label": int(name == "a.png"),
        "anomaly-label-metadata": {"class-name": "anomaly" if name == "a.png" else "normal",
                                   "type": "groundtruth/image-classification"}}).encode()
        for name in NAMES)


DOCUMENTS: dict[str, tuple[str, list[bytes]]] = {
    "table (CSV)": ("table.csv", [
        b"path,label,split,group\na.png,good,train,1\nb.png,dent,test,2\nc.png,good,,3\n",
        b"path;label\na.png;0\nb.png;1\nc.png;0\n", b"image\tdefect\na.png\tno\nb.png\tyes\n",
        "path,label,größe\na.png,gut,1\nb.png,schlecht,2\n".encode("utf-16")]),
    "COCO": ("annotations.json", _json(_coco())),
    "LabelMe": ("a.json", _json(_labelme())),
    "Lookout": ("lookout.manifest", [_lookout()]),
    "YOLO": ("labels/a.txt", [b"0 0.5 0.5 0.2 0.2\n", b"0 0.1 0.1 0.5 0.1 0.5 0.6 0.1 0.6\n"]),
    "parts.csv": ("parts.csv", [b"path,group\ngood/a.png,1\ngood/b.png,1\n"])}
"""File name and seeds by kind; what they speak of lies beside them, and in the folder good."""

REGIONS = _json({"ignore": [{"name": "x", "corners": [[0, 0], [0.5, 0], [0.5, 0.5]]}]},
                {"inspect": [{"corners": [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]}]})
WORDS = _json({"verdict": "good", "row": 1, "who": "anna", "why": "seen", "confirm": True},
              {"verdict": "defect", "type": "dent", "row": 2, "part": "7"})
