"""Every setting of a line: what params.yaml may say, with limits and defaults.

`hdm config schema` prints these texts; hdm/config.py reads the files.
"""

from typing import Any, Literal

from pydantic import Field

from hdm.model_settings import (
    Benign,
    Compute,
    DagmFit,
    DagmSynthesize,
    DdmTrain,
    Fraction,
    Image,
    PomFilter,
    Positive,
    Section,
    ThresholdRule,
)


class Ingest(Section):
    """How the source is split."""

    calibration_fraction: float = Field(0.25, gt=0, lt=1, description=(
        "Share of the good training images, by group, held out for calibration."))
    test_fraction: float = Field(0.25, gt=0, lt=1, description=(
        "Share of the good images, by group, for test where the source has no test split."))
    near_duplicates: Literal["refuse", "warn", "ignore"] = Field("refuse", description=(
        "What to do with images of different splits that look the same."))
    drawn_images: Literal["refuse", "warn"] = Field("refuse", description=(
        "What to do with images in a few flat tones, as masks are, on a line of photographs."))
    masks: Literal["auto", "bright", "dark"] | tuple[int, ...] = Field(
        "auto", description=("What marks a defect in mask files: what is not black, what is, or "
                             "these grey values; auto finds out what is background."))


class Validate(Section):
    """What the data must satisfy before anything is trained on them."""

    strictness: Literal["strict", "standard", "lenient"] = Field("standard", description=(
        "strict: every unmet expectation stops the line. standard: image quality and balance "
        "only warn. lenient: only undecodable images, bad masks and leaks stop it."))
    minimum_train: Positive = Field(20, description="Fewest good training images.")
    minimum_calibration: Positive = Field(10, description="Fewest calibration images.")
    minimum_test: Positive = Field(10, description=(
        "Fewest good, and if there are any, defective test images."))
    minimum_side: Positive = Field(32, description="Shortest image side in px.")
    outlier_deviations: float = Field(8.0, gt=0, description=(
        "Robust deviations from the median at which exposure or sharpness is an outlier."))


class Evaluate(Section):
    """How quality is measured, and where the threshold lies."""

    operating_point: ThresholdRule = ThresholdRule()
    bootstrap: Positive = Field(500, description="Resamples by group for each interval.")
    interval: float = Field(0.95, gt=0, lt=1, description="Coverage of the intervals.")
    aupro_limit: float = Field(0.3, gt=0, le=1, description="False-positive rate AUPRO goes to.")
    sheet_images: Positive = Field(24, description="Images on each heat-map sheet.")


class Register(Section):
    """The gate before a model becomes champion."""

    minimum_image_auroc: Fraction = Field(0.8, description="Below: the model is refused.")
    minimum_pixel_auroc: Fraction = Field(0.8, description="Below: refused, if masks exist.")
    minimum_recall: Fraction = Field(0.7, description=(
        "Share of defective parts that must be stopped at the operating point: refused if its "
        "whole interval is below, held if the count is."))
    maximum_false_alarms: Fraction = Field(0.2, description=(
        "Share of good parts that may be stopped there: refused if its whole interval is above, "
        "held if the count is."))
    tolerance: Fraction = Field(0.01, description=(
        "Loss against the champion on the same test images that is accepted: refused only if a "
        "larger one is proven."))
    type_tolerance: Fraction = Field(0.05, description=(
        "The same for the image AUROC of each type of defect."))
    confidence: float = Field(0.95, gt=0.5, lt=1, description=(
        "That all paired bounds on the differences to the champion hold at once."))
    bootstrap: Positive = Field(1000, description="Resamples by group for these bounds.")
    promote_equal: bool = Field(False, description=(
        "A model that is not told from the champion is promoted if it was trained on newer "
        "images; otherwise it is held."))
    latency_ms: float | None = Field(None, gt=0, description=(
        "Longest median time an image, one at a time; null: measured, not limited."))
    approval: bool = Field(False, description=(
        "A person must approve before a model becomes champion."))


class Monitor(Section):
    """Watching a model in service."""

    false_alarm_rate: float = Field(0.01, gt=0, lt=1, description=(
        "Probability that a line on which nothing changes ever raises an alarm while one model "
        "serves, however often it is looked at."))
    undecidable_share: float = Field(0.02, gt=0, lt=1, description=(
        "Share of images that may be undecidable: unreadable, or by `ddm_train.undecidable_rate`."))
    keep_share: Fraction = Field(0.01, description="Share of the images judged good that is kept.")
    keep_stopped: bool = Field(True, description=(
        "Keep every image that is not judged good: defective or undecidable."))
    keep_days: Positive = Field(90, description="Days after which kept images are deleted.")
    pictures_mib: Positive = Field(4096, description=(
        "Most MiB of kept images; those seen longest ago are deleted first."))
    log_mib: Positive = Field(512, description=(
        "Most MiB of the log; beyond, its older quarter moves to `earlier.parquet`, which holds "
        "what moved last."))
    retrain: bool = Field(True, description="An alarm asks for a retraining.")
    cooldown_hours: float = Field(24, ge=0, description=(
        "Shortest time between two retrainings that alarms asked for."))


class Retention(Section):
    """What is kept of the past."""

    versions: Positive = Field(10, description=(
        "Newest model versions that are kept besides those live, previous, challenging or pinned."))


class Params(Section):
    """Defaults of every line (params.yaml), one section a stage beside what stages share."""

    preset: str = Field("fast", description="Which of `presets` is laid over the other keys.")
    presets: dict[str, dict[str, Any]] = Field({"fast": {}}, description=(
        "Named sets of keys: how much a line's training may cost, and what it is spent on."))
    seed: int = Field(0, ge=0, description="Every random choice follows from it.")
    stage_hours: float = Field(24, gt=0, description=(
        "Longest time a stage may take in a flow; it is then stopped, and the run has failed."))
    compute: Compute = Compute()
    image: Image = Image()
    benign: Benign = Benign()
    ingest: Ingest = Ingest()
    validate_: Validate = Field(Validate(), alias="validate")
    dagm_fit: DagmFit = DagmFit()
    dagm_synthesize: DagmSynthesize = DagmSynthesize()
    pom_filter: PomFilter = PomFilter()
    ddm_train: DdmTrain = DdmTrain()
    evaluate: Evaluate = Evaluate()
    register_: Register = Field(Register(), alias="register")
    monitor: Monitor = Monitor()
    retention: Retention = Retention()
