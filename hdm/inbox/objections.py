"""Are new images fit to join a line? The line's own expectations, held against each of them."""

from pathlib import Path

import pandas as pd

from hdm.dataset.manifest import Manifest
from hdm.settings import Validate
from hdm.validation.evidence_table import evidence_table
from hdm.validation.expectations import Expectation, catalogue
from hdm.validation.statistics import measure, read_statistics

_PREFIX = "inbox:"  # two images may have one path in the source and in the inbox
_SPELLING = "defect_names"
# What can be said of one image by itself.
_OF_ONE_IMAGE = frozenset({
    "decodable", "unchanged", "photographs", "size", "mode", "not_blank", "exposure", "saturation",
    "sharpness", "mask_decodable", "mask_size", "mask_not_empty", "mask_not_whole", "mask_of_good",
    _SPELLING})


def objections(line: Manifest, new: Manifest, settings: Validate, *, known: Path | None = None,
               threads: int = 2) -> dict[str, str]:
    """Why images of `new` do not fit `line`, by path; those that fit are not in it.

    Usual is what the line's training images are. Unlike `validate`, which only warns of unusual
    images at the strictness `standard`, this refuses them: nobody has looked at them yet. At
    `lenient` they pass. known: statistics.parquet of the stage validate, which spares measuring
    the line again where it fits.
    """
    from hdm.validation.suite import examine  # great_expectations takes seconds to import

    statistics = pd.concat([_statistics(line, known, threads), measure(new, threads=threads)],
                           ignore_index=True)
    paths = [*line.frame["path"], *(_PREFIX + new.frame["path"])]
    frame = pd.concat([line.frame, new.frame], ignore_index=True).assign(path=paths)
    table = evidence_table(frame, statistics.assign(path=paths))
    rules = [rule for rule in catalogue(settings, table)
             if rule.code in _OF_ONE_IMAGE and _counts(rule, settings)]
    kinds = dict(zip(new.frame["path"], new.frame["defect_type"], strict=True))
    usual = set(line.frame["defect_type"])
    found: dict[str, str] = {}
    for rule, finding in zip(rules, examine(table, rules, settings.strictness, name="inbox",
                                            run_name="inbox"), strict=True):
        for path, value in zip(finding.paths, finding.found, strict=True):
            name = path.removeprefix(_PREFIX)
            # Of two spellings the line's own is right.
            if name == path or (rule.code == _SPELLING and kinds[name] in usual):
                continue
            promise = rule.promise[0].lower() + rule.promise[1:].removesuffix(".")
            found.setdefault(name, f"Not true of this image: {promise}; found {value}")
    return _of_other_size(line, new, settings) | found


def _counts(rule: Expectation, settings: Validate) -> bool:
    return settings.strictness != "lenient" or rule.severity("lenient") == "critical"


def _statistics(line: Manifest, known: Path | None, threads: int) -> pd.DataFrame:
    """What validate measured, if it is about these images."""
    if known and known.is_file():
        statistics = read_statistics(known)
        if list(statistics["path"]) == list(line.frame["path"]):
            return statistics
    return measure(line, threads=threads)


def _of_other_size(line: Manifest, new: Manifest, settings: Validate) -> dict[str, str]:
    """Where all images of the line have one size, so must a new one."""
    sizes = set(zip(line.frame["width"], line.frame["height"], strict=True))
    if len(sizes) != 1 or settings.strictness == "lenient":
        return {}
    ((width, height),) = sizes
    return {row.path: f"Not true of this image: every image of the line has {width}×{height} px; "
                      f"found {row.width}×{row.height}"
            for row in new if (row.width, row.height) != (width, height)}
