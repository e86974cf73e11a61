"""Which expectations there are, and how severe each is."""

import pandas as pd
import pytest

from hdm.settings import Validate
from hdm.validation.expectations import catalogue


def table(label=(0, 0), masks=False):
    return pd.DataFrame({"label": label, "split": ["train", "test"], "mask_present": masks,
                         "mode": "8-bit grey"})


def severities(strictness):
    rules = catalogue(Validate(), table((0, 1), masks=True))
    return {rule.code: rule.severity(strictness) for rule in rules}


INTEGRITY = {"unique_path", "decodable", "unchanged", "content_leak", "group_leak",
             "mask_decodable", "mask_size", "mask_not_empty", "mask_of_good"}
STRUCTURE = {"enough_train", "enough_calibration", "labels", "size", "mode"}
QUALITY = {"enough_test_good", "enough_test_defects", "mask_for_each_defect", "defect_names",
           "not_blank", "all_used", "photographs", "mask_not_whole",
           "exposure", "saturation", "sharpness"}


@pytest.mark.parametrize("strictness, critical", [
    ("strict", INTEGRITY | STRUCTURE | QUALITY),
    ("standard", INTEGRITY | STRUCTURE),
    ("lenient", INTEGRITY),
])
def test_severity_follows_from_strictness(strictness, critical):
    found = severities(strictness)
    assert set(found) == INTEGRITY | STRUCTURE | QUALITY
    assert {code for code, severity in found.items() if severity == "critical"} == critical


def test_codes_are_unique_and_every_expectation_says_what_to_do():
    rules = catalogue(Validate(), table((0, 1), masks=True))
    assert len({rule.code for rule in rules}) == len(rules)
    for rule in rules:
        assert rule.promise.endswith(".") and rule.remedy and not rule.remedy.endswith(".")


def test_a_line_without_defects_or_masks_is_not_asked_for_them():
    codes = {rule.code for rule in catalogue(Validate(), table())}
    assert "enough_test_defects" not in codes
    assert not any(code.startswith("mask") for code in codes)
    assert "enough_test_good" in codes


def test_limits_come_from_the_settings():
    settings = Validate(minimum_train=77, minimum_side=99, outlier_deviations=3.5)
    rules = {rule.code: rule for rule in catalogue(settings, table())}
    assert rules["enough_train"].arguments == {"min_value": 77}
    assert rules["size"].arguments["min_value"] == 99
    assert rules["exposure"].arguments["max_value"] == 3.5
    assert "77" in rules["enough_train"].promise
    assert "validate.minimum_train" in rules["enough_train"].remedy
