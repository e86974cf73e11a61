"""The graph says what `HDM.predict` says, before any exporter has touched it."""

import numpy as np
import pytest
import torch
from small_detector import native, small_detector
from torch.nn import functional as F

from hdm.errors import HDMError
from hdm.export.onnx_graph import DetectorGraph, between, shrinking


@pytest.mark.parametrize(("length", "target"), [
    (900, 128), (128, 128), (57, 128), (1000, 37), (333, 208), (1, 32), (2, 48)])
def test_the_matrices_resize_as_torch_does(length: int, target: int) -> None:
    image = torch.rand(1, 2, length, length, generator=torch.Generator().manual_seed(length))
    for matrix, antialias in ((shrinking(length, target), True), (between(length, target), False)):
        expected = F.interpolate(image, size=(target, target), mode="bilinear",
                                 antialias=antialias, align_corners=False)
        torch.testing.assert_close(matrix @ image @ matrix.T, expected, atol=2e-6, rtol=0)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(64, 50), (48, 32), (20, 90, 3), (7, 9)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_any_image_is_judged_as_the_detector_does(channels, shape, dtype) -> None:
    detector = small_detector(channels)
    images = [native(*shape, seed=n, dtype=dtype) for n in range(2)]
    graph = DetectorGraph(detector, white=np.iinfo(dtype).max)
    stack = np.stack(images).reshape(2, *shape[:2], -1)
    with torch.no_grad():
        found = graph(torch.from_numpy(stack))
    for n, expected in enumerate(detector.predict(images)):
        assert found.score[n].item() == pytest.approx(expected.score, rel=1e-4, abs=1e-4)
        assert found.p_value[n].item() == pytest.approx(expected.p_value)
        assert found.probability[n].item() == pytest.approx(expected.probability, abs=1e-4)
        assert bool(found.defect[n]) == (expected.decision == "defect")
        assert np.abs(found.anomaly_map[n].numpy() - expected.anomaly_map).max() < 1e-4
        assert found.appearance[n].tolist() == pytest.approx(list(expected.appearance), abs=1e-5)


@pytest.mark.parametrize("over", [
    {"normality": False}, {"members": 3}, {"mirrored": True}, {"backbone": False}, {"told": True}])
def test_members_mirrorings_and_what_is_left_out_are_inside(over) -> None:
    detector = small_detector(**over)
    image = native(60, 40)
    with torch.no_grad():
        found = DetectorGraph(detector, 255)(torch.from_numpy(image[None, ..., None]))
    assert found.score.item() == pytest.approx(detector.predict([image])[0].score, rel=1e-4,
                                               abs=1e-4)


@pytest.mark.parametrize("shape", [(90, 70), (60, 130, 3), (20, 30)])
def test_tiles_of_images_of_one_size_are_judged_as_the_detector_does(shape) -> None:
    detector = small_detector(fit="tile", told=True)
    images = [native(*shape, seed=n) for n in range(2)]
    stack = np.stack(images).reshape(2, *shape[:2], -1)
    with torch.no_grad():
        found = DetectorGraph(detector, 255, shape[:2])(torch.from_numpy(stack))
    for n, expected in enumerate(detector.predict(images)):
        assert found.score[n].item() == pytest.approx(expected.score, rel=1e-4, abs=1e-4)
        assert np.abs(found.anomaly_map[n].numpy() - expected.anomaly_map).max() < 1e-4


def test_tiles_without_a_size_are_refused() -> None:
    with pytest.raises(HDMError, match="judges tiles"):
        DetectorGraph(small_detector(fit="tile"), 255)
