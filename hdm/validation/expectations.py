"""What a line's data must satisfy: the catalogue, free of any library."""

from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from hdm.settings import Validate
from hdm.validation.evidence_table import OK, usual_mode

Severity = Literal["critical", "warning"]
Kind = Literal["integrity", "structure", "quality"]
_STOPPING: dict[str, tuple[Kind, ...]] = {
    "strict": ("integrity", "structure", "quality"),
    "standard": ("integrity", "structure"),
    "lenient": ("integrity",),
}
_FAINTEST_CONTRAST = 1 / 255
_WHOLE = 0.9


@dataclass(frozen=True)
class Expectation:
    """One promise about the table of evidence.

    code: the reason code. promise: what should hold, as a sentence. remedy: what to do where it
    does not. check: the great_expectations class, with its arguments. where: the
    only rows concerned, as (column, value).
    """

    code: str
    kind: Kind
    promise: str
    remedy: str
    check: str
    arguments: dict[str, Any] = field(default_factory=dict)
    where: tuple[tuple[str, Any], ...] = ()

    def severity(self, strictness: str) -> Severity:
        """critical stops the line, warning does not."""
        return "critical" if self.kind in _STOPPING[strictness] else "warning"


def catalogue(settings: Validate, table: pd.DataFrame) -> tuple[Expectation, ...]:
    """All expectations for this table; those that cannot apply to it are left out."""
    return (*_files(), *_splits(settings, table), *_masks(table),
            *_form(settings, table), *_looks(settings))


def _files() -> tuple[Expectation, ...]:
    return (
        Expectation("unique_path", "integrity", "Every image is listed once.",
                    "remove the duplicate names from the source",
                    "ExpectColumnValuesToBeUnique", {"column": "path"}),
        _is_ok("decodable", "decoding", "Every image can be decoded in full.",
               "replace or remove the files"),
        _is_ok("unchanged", "content", "Every image has the pixels that ingest saw.",
               "run the ingest stage again"),
        _is_ok("all_used", "use", "Every image of the source is used.",
               "move the images to where the layout has a place for them, say what is in their "
               "folder with `folders` of the line's source, or remove them", "quality"),
        _is_ok("photographs", "look", "No image is drawn, as masks are.",
               "put masks into a folder ground_truth/", "quality"),
    )


def _splits(settings: Validate, table: pd.DataFrame) -> tuple[Expectation, ...]:
    rules = [
        _is_ok("content_leak", "splits_of_content", "No image occurs in two splits.",
               "remove the copies from one of the splits"),
        _is_ok("group_leak", "splits_of_group", "No group of images is in two splits.",
               "move each group into one split"),
        _count("enough_train", "structure", "train", 0, settings.minimum_train,
               "validate.minimum_train"),
        _count("enough_calibration", "structure", "calibration", 0, settings.minimum_calibration,
               "validate.minimum_calibration"),
        _count("enough_test_good", "quality", "test", 0, settings.minimum_test,
               "validate.minimum_test"),
    ]
    if table["label"].eq(1).any():
        rules.append(_count("enough_test_defects", "quality", "test", 1, settings.minimum_test,
                            "validate.minimum_test"))
    return tuple(rules)


def _masks(table: pd.DataFrame) -> tuple[Expectation, ...]:
    if not table["mask_present"].eq(True).any():
        return ()
    return (
        _is_ok("mask_decodable", "mask_decoding", "Every mask can be decoded in full.",
               "replace or remove the masks"),
        _is_ok("mask_size", "mask_size", "Every mask has the size of its image.",
               "export the masks again at the size of their images"),
        Expectation("mask_not_empty", "integrity", "The mask of a defect marks something.",
                    "draw the defect in the mask, or remove the mask",
                    "ExpectColumnValuesToBeBetween",
                    {"column": "mask_area", "min_value": 0, "strict_min": True},
                    (("label", 1),)),
        Expectation("mask_not_whole", "quality",
                    f"The mask of a defect marks less than {_WHOLE:.0%} of the image.",
                    "look whether the masks are inverted or mark the part, and say what marks the "
                    "defect with ingest.masks",
                    "ExpectColumnValuesToBeBetween", {"column": "mask_area", "max_value": _WHOLE},
                    (("label", 1),)),
        Expectation("mask_of_good", "integrity", "The mask of a good image marks nothing.",
                    "move the image to its defect folder, or remove the mask",
                    "ExpectColumnValuesToBeBetween", {"column": "mask_area", "max_value": 0},
                    (("label", 0),)),
        Expectation("mask_for_each_defect", "quality",
                    "Where some defects have masks, every defect has one.",
                    "add the missing masks; pixel metrics are biased without them",
                    "ExpectColumnValuesToBeInSet",
                    {"column": "mask_present", "value_set": [True]}, (("label", 1),)),
    )


def _form(settings: Validate, table: pd.DataFrame) -> tuple[Expectation, ...]:
    mode = usual_mode(table)
    return (
        _is_ok("labels", "labelling", "Labels, defect types and splits agree.",
               "run the ingest stage again", "structure"),
        _is_ok("defect_names", "defect_spelling", "Each defect type is spelt in one way.",
               "give the folders of one defect type one name", "quality"),
        Expectation("size", "structure",
                    f"No image side is shorter than {settings.minimum_side} px.",
                    "replace the images, or lower validate.minimum_side",
                    "ExpectColumnValuesToBeBetween",
                    {"column": "shortest_side", "min_value": settings.minimum_side}),
        Expectation("mode", "structure", f"Every image is {mode}, as most of the line are."
                    if mode else "All images of the line have the same mode.",
                    "convert the images to one mode",
                    "ExpectColumnValuesToBeInSet",
                    {"column": "mode", "value_set": [mode or OK]}),
    )


def _looks(settings: Validate) -> tuple[Expectation, ...]:
    limit = settings.outlier_deviations  # from the median of the good training images
    usual = f"of good images is usual (within {limit:g} robust deviations)"

    def outlier(code: str, what: str, **bounds: float) -> Expectation:
        return Expectation(code, "quality", f"{what} {usual}.",
                           "look at the images and remove those that are no fair samples",
                           "ExpectColumnValuesToBeBetween",
                           {"column": f"{code}_deviation", **bounds}, (("label", 0),))

    return (
        Expectation("not_blank", "quality", "No image is blank.",
                    "look at the images and remove what the camera failed to take",
                    "ExpectColumnValuesToBeBetween",
                    {"column": "contrast", "min_value": _FAINTEST_CONTRAST}),
        outlier("exposure", "The brightness", min_value=-limit, max_value=limit),
        outlier("saturation", "The share of clipped pixels", max_value=limit),
        outlier("sharpness", "The sharpness", min_value=-limit, max_value=limit),
    )


def _is_ok(code: str, column: str, promise: str, remedy: str,
           kind: Kind = "integrity") -> Expectation:
    return Expectation(code, kind, promise, remedy, "ExpectColumnValuesToBeInSet",
                       {"column": column, "value_set": [OK]})


def _count(code: str, kind: Kind, split: str, label: int, least: int, key: str) -> Expectation:
    what = "defective" if label else "good"
    return Expectation(code, kind, f"At least {least} {what} images for {split}.",
                       f"add {what} images, or lower {key}",
                       "ExpectTableRowCountToBeBetween", {"min_value": least},
                       (("split", split), ("label", label)))
