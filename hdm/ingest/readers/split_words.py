"""Words with which people name the splits of a set."""

import difflib
import re
from collections.abc import Iterable

from hdm.dataset.manifest import SPLITS

OPEN = "validation"
"""Said to be for validation, of training or of anything else: the choice is left to the pipeline,
as its calibration split holds good images alone."""

_WORDS = {"train": "train", "training": "train", "trn": "train",
          "test": "test", "testing": "test", "tst": "test",
          "val": OPEN, "valid": OPEN, "validation": OPEN, "dev": OPEN,
          "calibration": "calibration", "calib": "calibration", "cal": "calibration",
          "holdout": "holdout"}


def split_of_word(word: str) -> str | None:
    """A split, or OPEN; None for another word."""
    return _WORDS.get(re.sub(r"[\W_\d]+", "", word.casefold()))


def split_of_name(*names: str) -> str | None:
    """The split that the first telling one of the names has among its words; None if none tells.

    `instances_train2017` -> train; a name that says two tells nothing.
    """
    for name in names:
        found = {split for word in re.findall(r"[^\W\d_]+", name.casefold())
                 if (split := _WORDS.get(word))}
        if len(found) == 1:
            return found.pop()
    return None


def nearest_split(word: str) -> str | None:
    """The split whose name is written nearly like `word`."""
    return next(iter(difflib.get_close_matches(word.casefold(), SPLITS, n=1)), None)


def complete(splits: Iterable[str | None]) -> bool:
    """Whether a source splits its images itself: it has both train and test."""
    return {"train", "test"} <= set(splits)
