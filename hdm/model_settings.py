"""Settings of what answers a picture and of how it is trained, with limits and defaults."""

from typing import Annotated, Literal

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
