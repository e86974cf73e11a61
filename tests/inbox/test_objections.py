"""New images are held against the line's own expectations, one by one."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hdm.inbox import objections as module
from hdm.inbox.objections import objections
from hdm.settings import Validate
from hdm.validation.statistics import measure

SETTINGS = Validate(minimum_train=4, minimum_calibration=2, minimum_test=2)


def mask_of(side: int = 8, height: int = 40, width: int = 48) -> np.ndarray:
    mask = np.zeros((height, width), dtype=np.uint8)
    mask[:side, :side] = 255
    return mask


@pytest.fixture
def inbox(crafted: Any, tmp_path: Path) -> Any:
    new = type(crafted)(tmp_path / "inbox")
    new.rng = np.random.default_rng(99)
    new.put("good/000.png", "holdout")
    new.put("scratch/000.png", "holdout", mask=mask_of())
    return new


def test_images_like_the_line_are_welcome_whatever_their_name(crafted, inbox) -> None:
    crafted.put("good/000.png", "train")  # the same path in the source
    assert objections(crafted.manifest(), inbox.manifest(), SETTINGS) == {}


def test_each_fault_is_found_with_its_reason(crafted, inbox) -> None:
    pixels = inbox.pixels()
    inbox.put("good/dark.png", "holdout", pixels // 4)
    inbox.put("good/blank.png", "holdout", np.full_like(pixels, 125))
    inbox.put("good/blurred.png", "holdout", 125 + (pixels // 8).repeat(8, 0)[:40])
    inbox.put("good/deep.png", "holdout", pixels.astype(np.uint16) * 257)
    inbox.put("good/colour.png", "holdout", np.stack([pixels] * 3, axis=2))
    inbox.put("good/small.png", "holdout", inbox.pixels(24, 24))
    inbox.put("good/large.png", "holdout", inbox.pixels(80, 96))
    inbox.put("scratch/empty.png", "holdout", mask=mask_of(side=0))
    inbox.put("scratch/other.png", "holdout", mask=mask_of(8, 20, 20))
    inbox.put("Scratch/spelt.png", "holdout")
    found = objections(crafted.manifest(), inbox.manifest(), SETTINGS)
    words = {"good/dark.png": "brightness", "good/blank.png": "", "good/blurred.png": "",
             "good/deep.png": "every image is 8-bit grey, as most of the line are; found 16-bit "
             "grey", "good/colour.png": "found 8-bit colour",
             "good/small.png": "shorter than 32 px", "good/large.png": "found 96×80",
             "scratch/empty.png": "marks something", "scratch/other.png": "mask has the size",
             "Scratch/spelt.png": "Scratch / scratch"}
    assert set(found) == set(words)
    for path, part in words.items():
        assert part in found[path], found[path]
        assert found[path].startswith("Not true of this image: "), found[path]
        assert not found[path].endswith(".")


def test_a_large_batch_of_unusual_images_does_not_become_usual(crafted, inbox) -> None:
    for number in range(60):
        inbox.put(f"good/dark{number}.png", "holdout", inbox.pixels() // 4)
    found = objections(crafted.manifest(), inbox.manifest(), SETTINGS)
    assert len(found) == 60


def test_lenient_lets_unusual_images_pass_but_not_bad_masks(crafted, inbox) -> None:
    inbox.put("good/dark.png", "holdout", inbox.pixels() // 4)
    inbox.put("good/large.png", "holdout", inbox.pixels(80, 96))
    inbox.put("scratch/other.png", "holdout", mask=mask_of(8, 20, 20))
    lenient = SETTINGS.model_copy(update={"strictness": "lenient"})
    assert list(objections(crafted.manifest(), inbox.manifest(), lenient)) == ["scratch/other.png"]


def test_missing_masks_are_no_fault_of_an_image(crafted, inbox) -> None:
    inbox.put("scratch/bare.png", "holdout")
    assert objections(crafted.manifest(), inbox.manifest(), SETTINGS) == {}


def test_statistics_that_are_there_are_used_and_give_the_same(crafted, inbox, tmp_path,
                                                              monkeypatch) -> None:
    inbox.put("good/dark.png", "holdout", inbox.pixels() // 4)
    line, new = crafted.manifest(), inbox.manifest()
    expected = objections(line, new, SETTINGS)
    known = tmp_path / "statistics.parquet"
    pq.write_table(pa.Table.from_pandas(measure(line), preserve_index=False)
                   .replace_schema_metadata(None), known)
    measured = []
    monkeypatch.setattr(module, "measure", lambda manifest, **options: measured.append(
        len(manifest)) or measure(manifest, **options))
    assert objections(line, new, SETTINGS, known=known) == expected
    assert measured == [3]
    crafted.drop(lambda row: row["path"] != "test/good/003.png")
    assert objections(crafted.manifest(), new, SETTINGS, known=known) == expected
    assert measured[1:] == [53, 3]
