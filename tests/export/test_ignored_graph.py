"""The ONNX graph ignores what the detector ignores, in pictures of any size."""

import numpy as np
import pytest
from small_detector import native, small_detector

from hdm.dataset.ignore_mask import IgnoreMask
from hdm.export.agreement import compare
from hdm.export.exporting import export
from hdm.export.runtime_detector import RuntimeDetector


def mask(height: int, width: int, kind: str) -> str:
    made = np.zeros((height, width), bool)
    made[height // 8:height // 2, width // 4:width // 2] = True
    return IgnoreMask.of(~made if kind == "inverted" else made).text()


CASES = {
    "whole": ("ignored", {}, 8, [(66, 60), (132, 120), (33, 31)]),
    "colour": ("inverted", {"channels": 3}, 8, [(66, 60, 3), (41, 90)]),
    "deep": ("ignored", {"backbone": False}, 16, [(66, 60), (48, 32)]),
    "tiles": ("inverted", {"fit": "tile"}, 8, [(70, 50)]),
    "doubts": ("ignored", {"decidable": True}, 8, [(96, 96), (120, 90), (5, 7)]),
    "doubts of colour": ("inverted", {"decidable": True, "channels": 3}, 16, [(96, 96, 3)]),
    "doubts of texture": ("inverted", {"decidable": True, "backbone": False}, 8, [(96, 96)]),
    "doubts of tiles": ("ignored", {"decidable": True, "fit": "tile"}, 8, [(96, 96)]),
}

OFTEN_SHOWN = {"colour", "deep", "doubts", "doubts of texture", "doubts of tiles"}
"""Each of them writes a file for half a minute, and what it shows others show, too."""


def figures(runtime: RuntimeDetector, image: np.ndarray) -> np.ndarray:
    return runtime.run(runtime.native(image)[None])["figures"]


@pytest.mark.parametrize(("kind", "shapes"), [
    ("ignored", [(35, 25), (140, 97)]),
    pytest.param("inverted", [(40, 90, 3)], marks=pytest.mark.slow)])
def test_a_picture_that_the_graph_of_tiles_does_not_take_shows_nothing_either(
        kind, shapes, tmp_path) -> None:
    colours = shapes[0][2:]
    detector = small_detector(ignored=mask(70, 50, kind), fit="tile", channels=colours[0]
                              if colours else 1)
    target = tmp_path / "t.onnx"
    export(detector, {"line": "plate", "version": "1"}, [native(70, 50, *colours)], target, 8)
    runtime = RuntimeDetector(target, threads=1)
    for shape in shapes:
        image, hidden = native(*shape), detector.form.ignored_pixels(*shape[:2])
        painted = image.copy()
        painted[hidden] = native(*shape, seed=7)[hidden]
        one, two = (runtime.predict([each])[0] for each in (image, painted))
        assert (one.score, one.decision, one.reasons) == (two.score, "undecidable", two.reasons)
        assert np.array_equal(one.anomaly_map, two.anomaly_map)
        assert not one.anomaly_map[hidden].any() and np.array_equal(one.ignored, hidden)


@pytest.mark.parametrize("case", [
    pytest.param(case, marks=pytest.mark.slow if case in OFTEN_SHOWN else ()) for case in CASES])
def test_torch_and_onnx_ignore_alike(case, tmp_path) -> None:
    kind, over, depth, shapes = CASES[case]
    detector, target = small_detector(ignored=mask(66, 60, kind), **over), tmp_path / "plate.onnx"
    dtype = np.uint16 if depth == 16 else np.uint8
    images = [native(*shape, seed=n, dtype=dtype) for n, shape in enumerate(shapes)]
    assert export(detector, {"line": "plate", "version": "1"}, images, target, depth).agrees
    runtime = RuntimeDetector(target, threads=1)
    for number, image in enumerate(images):
        hidden = detector.form.ignored_pixels(*image.shape[:2])
        painted = image.copy()
        painted[hidden] = native(*image.shape, seed=50 + number, dtype=dtype)[hidden]
        one, two = (runtime.predict([each])[0] for each in (image, painted))
        assert (one.score, one.p_value, one.decision, one.reasons, one.appearance) == \
            (two.score, two.p_value, two.decision, two.reasons, two.appearance)
        assert np.array_equal(figures(runtime, image), figures(runtime, painted))
        if detector.decidability:
            whole = detector.scorer.inspect([detector.form.prepare(painted)])[0].overview
            assert figures(runtime, painted)[0] == pytest.approx(
                detector.decidability.figures(painted, whole, hidden), abs=2e-3)
        assert np.array_equal(one.anomaly_map, two.anomaly_map)
        assert not one.anomaly_map[hidden].any() and np.array_equal(one.ignored, hidden)
        assert compare(detector, runtime, [painted]).agrees
