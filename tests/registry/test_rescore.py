"""Champion and challenger on the same images, whatever each makes of them inside."""

import numpy as np
import pytest
import tiny
from PIL import Image
from small_detector import small_detector

from hdm.dataset.manifest import Manifest, Row
from hdm.errors import HDMError
from hdm.evaluation.paired import differences
from hdm.registry.rescore import rescore


@pytest.fixture
def split(tmp_path) -> Manifest:
    """Four good parts and four with a bright square and its mask, 60 x 40 px."""
    random, rows = np.random.default_rng(0), []
    for number in range(8):
        bad = number >= 4
        pixels = random.integers(90, 110, (40, 60), dtype=np.uint8)
        mask = np.zeros((40, 60), np.uint8)
        if bad:
            mask[10:20, 10 + 4 * number:20 + 4 * number] = 255
            pixels[mask > 0] = 250
            Image.fromarray(mask).save(tmp_path / f"{number}_mask.png")
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        rows.append(Row(f"{number}.png", "test", int(bad), "spot" if bad else "good",
                        f"{number}_mask.png" if bad else None, str(number), 60, 40, 1, 8, 8,
                        "0" * 64))
    return Manifest.of(rows, tmp_path)


@pytest.mark.parametrize("theirs", [{"fit": "tile"}, {"channels": 3}])
def test_a_challenger_with_another_image_format_is_compared_on_native_pixels(
        tmp_path, split, theirs):
    small_detector().save(tmp_path / "ours")
    small_detector(seed=1, **theirs).save(tmp_path / "theirs")
    seen = [rescore(tmp_path / name, split, tiny.COMPUTE) for name in ("ours", "theirs")]
    found = differences(*seen, confidence=0.9, resamples=50, seed=0)
    assert {this.metric for this in found} == {"image_auroc", "pixel_auroc", "cost"}
    assert all(0 <= this.ours <= 1 and this.low <= this.high for this in found)


def test_progress_and_damage(tmp_path, split):
    seen = []
    small_detector().save(tmp_path / "ours")
    rescore(tmp_path / "ours", split, tiny.COMPUTE, lambda *step: seen.append(step))
    assert seen == [(8, 8)]
    weights = tmp_path / "ours" / "discriminator.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(HDMError):
        rescore(tmp_path / "ours", split, tiny.COMPUTE)
