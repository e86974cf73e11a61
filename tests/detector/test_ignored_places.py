"""Whatever is painted where nothing is inspected, the answer is the same to the last bit; what is
odd elsewhere is found as before."""

import numpy as np
import pytest
import torch
from small_detector import native, plates, small_detector
from torch.nn import functional as F

from hdm.dataset.ignore_mask import Ignored, IgnoreMask
from hdm.dataset.line_region import combined, region_of
from hdm.detector.detector import HDM
from hdm.detector.evidence import scan, worst
from hdm.detector.fusion import Fusion

POLYGON = [[0.1, 0.1], [0.55, 0.15], [0.5, 0.5], [0.15, 0.45]]
SQUARE = [[0.2, 0.1], [0.9, 0.1], [0.9, 0.8], [0.2, 0.8]]
REGIONS = {"polygon": {"ignore": [{"corners": POLYGON}]},
           "inverted": {"inspect": [{"corners": SQUARE}]},
           "both": {"inspect": [{"corners": SQUARE}], "ignore": [{"corners": POLYGON}]}}


def text_of(kind: str, height: int = 66, width: int = 60) -> str:
    if kind == "mask":
        return IgnoreMask.of(np.indices((height, width)).sum(0) % 40 < 18).text()
    return IgnoreMask.of(combined(region_of(REGIONS[kind], kind), None, height, width)).text()


def painted(image: np.ndarray, hidden: np.ndarray, seed: int = 9) -> np.ndarray:
    other = image.copy()
    other[hidden] = native(*image.shape, seed=seed, dtype=image.dtype)[hidden]
    return other


@pytest.mark.parametrize(("kind", "over"), [
    ("polygon", {}), ("inverted", {"fit": "tile"}), ("mask", {"channels": 3}),
    ("both", {"backbone": False}), ("mask", {"fit": "tile", "backbone": False})])
def test_an_answer_does_not_depend_on_what_is_there(kind, over) -> None:
    detector = small_detector(ignored=text_of(kind), **over)
    shapes = [(66, 60), (132, 120, 3), (33, 31)]
    for number, shape in enumerate(shapes):
        image = native(*shape, seed=number, dtype=(np.uint8, np.uint16)[number % 2])
        hidden = detector.form.ignored_pixels(*shape[:2])
        plain, = detector.predict([image])
        for found in (detector.predict([painted(image, hidden, seed)])[0] for seed in (90, 91)):
            assert (found.score, found.p_value, found.probability, found.decision) == \
                (plain.score, plain.p_value, plain.probability, plain.decision)
            assert np.array_equal(found.anomaly_map, plain.anomaly_map)
            assert found.appearance == plain.appearance
        assert np.array_equal(plain.ignored, hidden) and hidden.any() and not hidden.all()
        assert not plain.anomaly_map[hidden].any() and np.isfinite(plain.score)


def figures_of(detector: HDM, image: np.ndarray, hidden: np.ndarray) -> list[float]:
    whole = detector.scorer.inspect([detector.form.prepare(image)])[0].overview
    return detector.decidability.figures(image, whole, hidden)


@pytest.mark.parametrize(("kind", "over"), [
    ("polygon", {}), ("mask", {"channels": 3}), ("inverted", {"fit": "tile"}),
    ("both", {"backbone": False}), ("mask", {"fit": "tile", "backbone": False})])
def test_nor_do_doubts_and_regions(kind, over) -> None:
    """Also where what is painted alone would make a picture dark, clipped, blank or noisy."""
    detector = small_detector(ignored=text_of(kind), decidable=True, **over)
    good = plates(3, seed=4, channels=over.get("channels", 1))
    for image in (*good, good[0] // 8, native(96, 96), native(70, 40, dtype=np.uint16)):
        hidden, codes = detector.form.ignored_pixels(*image.shape[:2]), set()
        plain, = detector.predict([image])
        usual = figures_of(detector, image, hidden)
        assert np.isfinite(usual).all()
        regions = [detector.region_rule.regions("defect", plain.anomaly_map, level, hidden)
                   for level in (None, 0.01)]
        top = np.iinfo(image.dtype).max
        for other in (painted(image, hidden), np.where(_as(hidden, image), 0, image),
                      np.where(_as(hidden, image), top, image)):
            changed = other.astype(image.dtype)
            found, = detector.predict([changed])
            assert (found.score, found.decision, found.reasons) == \
                (plain.score, plain.decision, plain.reasons)
            assert figures_of(detector, changed, hidden) == usual
            assert regions == [
                detector.region_rule.regions("defect", found.anomaly_map, level, hidden)
                for level in (None, 0.01)]
            codes.add(found.decision)
        assert len(codes) == 1
    assert detector.predict([good[0] // 8])[0].decision == "undecidable"


def _as(hidden: np.ndarray, image: np.ndarray) -> np.ndarray:
    return hidden if image.ndim == 2 else hidden[..., None]


@pytest.mark.parametrize(("kind", "fit"), [
    ("polygon", "resize"), ("inverted", "tile"), ("mask", "resize")])
def test_saved_and_loaded_it_ignores_the_same(kind, fit, tmp_path) -> None:
    detector = small_detector(ignored=text_of(kind), fit=fit)
    detector.save(tmp_path)
    again, image = HDM.load(tmp_path, device="cpu", threads=1), native(66, 60)
    one, two = (each.predict([image])[0] for each in (detector, again))
    assert one.score == two.score and np.array_equal(one.anomaly_map, two.anomaly_map)


def test_of_a_picture_of_which_all_is_touched_figures_are_numbers() -> None:
    detector = small_detector(ignored=text_of("polygon"))
    for size in ((1, 1), (1, 9), (2, 3)):
        found, = detector.predict([native(*size)])
        assert np.isfinite(found.score) and np.isfinite(found.anomaly_map).all()


def maps(odd: bool, seed: int = 0) -> torch.Tensor:
    made = torch.randn(1, 1, 40, 40, generator=torch.Generator().manual_seed(seed))
    made[..., 22:25, 30:33] += 30 * odd
    return made


IGNORED = torch.zeros(40, 40, dtype=torch.bool)
IGNORED[5:20, 5:35] = True


@pytest.mark.parametrize("statistic", [
    lambda pixels, ignored: worst(pixels, ignored=ignored),
    lambda pixels, ignored: scan(pixels, (40, 40), torch.tensor([0.0, 1.0]), ignored)[:, 0],
    lambda pixels, ignored: scan(pixels, (40, 40), torch.tensor([0.0, 1.0]), ignored)[:, 1],
    lambda pixels, ignored: scan(pixels, (40, 40), torch.tensor([0.0, 1.0]), ignored)[:, 2]])
@pytest.mark.parametrize("height", [1e6, -1e6, 5.0])
def test_statistics_see_the_inspected_alone(statistic, height) -> None:
    ignored, plain = Ignored.of(IGNORED), maps(odd=False)
    changed = plain.masked_fill(IGNORED, height)
    assert torch.equal(statistic(changed, ignored), statistic(plain, ignored))
    assert statistic(maps(odd=True), ignored) > statistic(plain, ignored)


@pytest.mark.parametrize("column", [4, 20, 35])
def test_beside_what_is_ignored_an_odd_place_counts_as_at_an_edge_of_the_picture(column) -> None:
    """Its window holds fewer pixels, and the mean is theirs."""
    pixels = torch.zeros(1, 1, 40, 40)
    pixels[..., 20:23, column:column + 3] = 1
    found = scan(pixels, (40, 40), torch.tensor([0.0, 1.0]), Ignored.of(IGNORED))
    assert found[0, 0] == 1


def test_a_map_repeats_there_what_is_beside_it_so_that_nothing_glows_at_the_edge() -> None:
    fusion = Fusion(torch.zeros(1, 1, 1), torch.ones(1), torch.ones(1), torch.tensor([0.0, 1.0]),
                    torch.tensor([[0.0], [1.0]]))
    shown = maps(odd=False).masked_fill(IGNORED, 1e6)
    found = fusion.evidence(shown, (40, 40), Ignored.of(IGNORED))
    large = F.interpolate(found.pixels, size=(160, 160), mode="bilinear")
    assert large.max() <= shown[..., ~IGNORED].max()
