"""Every setting there is: what params.yaml and pipelines.yaml may say, with limits and defaults.

`hdm config schema` prints these texts; hdm/config.py reads the files.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A closed, immutable group of settings: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Compute(Section):
    """Where and how arithmetic runs."""

    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto takes CUDA if there.")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="auto is bf16 on CUDA and fp32 on CPU.")
    threads: Positive = Field(
        2, description="CPU threads; sums are rounded differently with another number.")


class Image(Section):
    """How an image becomes network input."""

    size: int = Field(128, ge=32, le=1024, multiple_of=16, description=(
        "Side in px of the square whose area the canvas has; its aspect is the line's own."))
    channels: Literal["auto", 1, 3] = Field("auto", description="auto: 3 if any image has colour.")
    fit: Literal["auto", "resize", "tile"] = Field("auto", description=(
        "resize: the whole image at canvas size. tile: native pixels in overlapping tiles. auto: "
        "tile for larger images on which no place is like another part's same place, and, all "
        "resized by one factor, for images of differing shapes."))


class Ingest(Section):
    """How the source is split."""

    calibration_fraction: float = Field(0.25, gt=0, lt=1, description=(
        "Share of the good training images, by group, held out for calibration."))
    test_fraction: float = Field(0.25, gt=0, lt=1, description=(
        "Share of the good images, by group, for test where the source has no test split."))
    near_duplicates: Literal["refuse", "warn", "ignore"] = Field("refuse", description=(
        "What to do with images of different splits that look the same."))


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


class Denoiser(Section):
    """Size of a U-Net."""

    stem: Literal[1, 2, 4, 8] = Field(2, description="Space-to-depth factor of the stem.")
    widths: tuple[Annotated[int, Field(ge=8, multiple_of=8)], ...] = Field(
        (16, 32, 64, 128), min_length=1, description="Channels of each level, multiples of 8.")
    blocks: Positive = Field(1, description="Convolutions a level.")


class Training(Section):
    """One training run: steps, not epochs, so that every line costs the same."""

    steps: Positive = Field(200, description="Optimiser steps.")
    batch: int = Field(8, ge=2, description="Images a step.")
    learning_rate: float = Field(0.01, gt=0, description="Peak, after warm-up; then cosine.")
    ema_half_life: Fraction = Field(0.05, description="Half-life of the averaged weights / run.")
    checkpoint_seconds: Positive = Field(60, description="Time between resume points.")


class DagmFit(Section):
    """The normal prior: a diffusion model of the line's good images."""

    network: Denoiser = Denoiser()
    training: Training = Training()
    timesteps: Positive = Field(1000, description="Length of the noise schedule.")
    learned_variance: bool = Field(True, description=(
        "Learn Sigma between the posterior variance and beta; otherwise the posterior variance."))


class DagmSynthesize(Section):
    """Growing defects on good images."""

    samples: Positive = Field(1200, description="Candidates a bank.")
    tau_low: float = Field(0.2, ge=0, description="Weakest inflation of the reverse variance.")
    tau_high: float = Field(4.0, ge=0, description="Strongest inflation of the reverse variance.")
    reverse_steps: Positive = Field(25, description="Respaced reverse steps of the whole range.")
    start_low: Fraction = Field(0.3, description="Earliest start of the reverse process / range.")
    start_high: Fraction = Field(0.8, description="Latest start of the reverse process / range.")
    sources: dict[Literal["diffusion", "cut_paste", "photometric", "procedural", "structural",
                          "fill", "shuffle", "repaint"], float] = Field(
        {"diffusion": 0.25, "cut_paste": 0.2, "photometric": 0.1, "procedural": 0.2,
         "structural": 0.1, "fill": 0.1, "shuffle": 0.05, "repaint": 0.0},
        description="Relative share of each defect source.")
    redraw: bool | None = Field(None, description=(
        "Let the normal prior grow defects at the share of `diffusion`; null: where parts are "
        "judged whole and the prior explains enough of them."))
    two_tones: bool | None = Field(None, description=(
        "The line's images have two tones and nothing between, so parts of them are repainted and "
        "`sources` does not count; null: measured."))

    @model_validator(mode="after")
    def _ranges_are_ordered(self) -> "DagmSynthesize":
        if self.tau_low > self.tau_high:
            raise ValueError(f"tau_low {self.tau_low} is above tau_high {self.tau_high}")
        if self.start_low > self.start_high:
            raise ValueError(f"start_low {self.start_low} is above start_high {self.start_high}")
        if min(self.sources.values(), default=0) < 0 or sum(self.sources.values()) <= 0:
            raise ValueError("sources needs shares >= 0 of which at least one is above 0")
        return self


class PomFilter(Section):
    """Which synthetic samples are worth training on."""

    keep: float = Field(0.75, gt=0, le=1, description="Largest share of the bank that is kept.")
    minimum_gap: Fraction = Field(0.95, description=(
        "A sample must be less likely than this quantile of unchanged normals."))
    minimum_detectability: Fraction = Field(0.55, description=(
        "Least AUROC of the probe inside against outside the mask."))
    source_floor: Fraction = Field(0.1, description="Least share kept of each source's passes.")


class Benign(Section):
    """Benign change that training adds to every image: what must never be called a defect."""

    contrast: float = Field(0.35, ge=0, description="Largest change, natural logarithm.")
    brightness: float = Field(0.2, ge=0, description="Largest change / half the line's range.")
    shading: float = Field(0.12, ge=0, description=(
        "Largest deviation of a smooth change of light across the image / half the line's range."))
    noise: float = Field(0.05, ge=0, description=(
        "Largest deviation of added noise / half the line's range."))
    turn: float = Field(7.0, ge=0, le=180, description="Largest turn in degrees.")
    scale: float = Field(0.08, ge=0, le=1, description="Largest scaling, natural logarithm.")
    shift: Fraction = Field(0.06, description="Largest shift / side.")
    flips: bool = Field(False, description="A mirrored part is as good as the part itself.")


class DdmTrain(Section):
    """The discriminative reverse process."""

    network: Denoiser = Denoiser(blocks=2)
    training: Training = Training(steps=3000)
    members: Positive = Field(1, description=(
        "Networks that answer together; each is trained for all of the steps."))
    reverse_steps: Positive = Field(1, description="K: reverse steps at detection.")
    noise: Fraction = Field(0.15, description="Largest noise of an intermediate state.")
    prior_level: Fraction | None = Field(None, description=(
        "Noise level / range at which the discriminator is shown what the prior finds normal; "
        "null: not shown."))
    normality: bool = Field(True, description=(
        "Join the logits with texture and features of good images, where places are alike."))
    mirrored: bool | None = Field(None, description=(
        "Answer with the mean over an image's four mirrorings, in four times the time; null: "
        "where parts are judged by tiles."))
    benign: Benign = Benign()


class ThresholdRule(Section):
    """Where the threshold lies: a rate of false alarms, or the cheapest by three stated figures."""

    false_alarm_rate: float = Field(0.05, gt=0, lt=1, description=(
        "Share of good parts that may be called defective; unused where costs are given."))
    escape_cost: float | None = Field(None, gt=0, description=(
        "Cost of a defective part that is called good, in any currency."))
    false_reject_cost: float | None = Field(None, gt=0, description=(
        "Cost of a good part that is called defective, in the same currency."))
    defect_rate: float | None = Field(None, gt=0, lt=1, description=(
        "Expected share of defective parts."))

    @model_validator(mode="after")
    def _costs_come_together(self) -> "ThresholdRule":
        given = [value is not None
                 for value in (self.escape_cost, self.false_reject_cost, self.defect_rate)]
        if any(given) and not all(given):
            raise ValueError("escape_cost, false_reject_cost and defect_rate are given together "
                             "or not at all")
        return self

    @property
    def costs(self) -> tuple[float, float, float] | None:
        """Escape cost, false-reject cost and defect rate; None where a rate is stated instead."""
        if self.escape_cost is None or self.false_reject_cost is None or self.defect_rate is None:
            return None
        return self.escape_cost, self.false_reject_cost, self.defect_rate


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
    tolerance: Fraction = Field(0.01, description=(
        "How much worse than the champion on the same test images is still 'not worse'."))
    type_tolerance: Fraction = Field(0.05, description=(
        "The same for the image AUROC of each type of defect."))
    confidence: float = Field(0.95, gt=0.5, lt=1, description=(
        "That all paired bounds on the differences to the champion hold at once."))
    bootstrap: Positive = Field(1000, description="Resamples by group for these bounds.")
    latency_ms: float | None = Field(None, gt=0, description=(
        "Longest median time an image, one at a time; null: measured, not limited."))
    approval: bool = Field(False, description=(
        "A person must approve before a model becomes champion."))


class Monitor(Section):
    """Watching a model in service."""

    false_alarm_rate: float = Field(0.01, gt=0, lt=1, description=(
        "Probability that a line on which nothing changes ever raises an alarm while one model "
        "serves, however often it is looked at."))
    undecidable_share: float = Field(0.01, gt=0, lt=1, description=(
        "Share of images that may be unreadable."))
    keep_share: Fraction = Field(0.01, description="Share of the images judged good that is kept.")
    keep_defects: bool = Field(True, description="Keep every image that is judged defective.")
    keep_days: Positive = Field(90, description="Days after which kept images are deleted.")
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


class Source(Section):
    """Where a line's images come from."""

    path: str = Field(min_length=1, description="Folder or table; may lie outside the project.")
    format: Literal["auto", "mvtec", "folder", "visa", "btad", "ksdd2", "table"] = Field(
        "auto", description="Layout of the source; auto looks at it.")


class Schedule(Section):
    """When the line is retrained by itself."""

    cron: str = Field(min_length=9, description="Five-field cron expression.")
    timezone: str = Field("UTC", description="IANA name.")
    active: bool = Field(True, description="False keeps the schedule but does not run it.")


class ProductLine(Section):
    """One entry of `lines` in pipelines.yaml."""

    description: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    source: Source
    schedule: Schedule | None = None
    monitor_schedule: Schedule | None = Field(None, description="When it is looked at for drift.")
    inbox: str = Field("", description="Folder into which new images of the line are dropped.")
    test_set: str = Field("", description=(
        "Frozen test set of test_sets/<line>/; empty: what the source and the split rule make."))
    overrides: dict[str, Any] = Field({}, description="Any key of params.yaml, for this line.")


class Pipelines(Section):
    """pipelines.yaml."""

    sample_lines: tuple[str, ...] = Field((), description="Lines whose images `hdm samples` draws.")
    parallel: Positive = Field(1, description="Lines that `hdm-retrain/all` trains side by side.")
    lines: dict[str, ProductLine]
