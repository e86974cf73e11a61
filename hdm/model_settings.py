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
        "auto", description=(
        "auto: bf16 on CUDA; on a CPU fp32, but for training the prior where AMX is there."))
    threads: Positive = Field(
        2, description="CPU threads; sums are rounded differently with another number.")
    cluster: str = Field("local", pattern=r"^(local|(tcp|tls)://\S+:\d+)$", description=(
        "local, or the address of a Dask scheduler whose workers decode, measure, encode and judge "
        "pictures; results are the same."))


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


class PlaceNetwork(Section):
    """Size of the denoiser of latents."""

    width: int = Field(256, ge=16, multiple_of=16, description="Channels of each block.")
    blocks: Positive = Field(4, description="Residual blocks.")


class DagmFit(Section):
    """The latent prior: a diffusion model of what a frozen encoder sees in the line's good
    images."""

    backbone: Literal["lite0", "none"] = Field("lite0", description=(
        "The frozen encoder: EfficientNet-Lite0 with packaged ImageNet weights; none: no latents, "
        "the discriminator from scratch answers alone."))
    dimensions: int = Field(96, ge=2, le=152, description="Principal axes of features kept.")
    views: Positive = Field(3, description=(
        "Times that each good image is encoded: as it is, and in other poses as benign says."))
    network: PlaceNetwork = PlaceNetwork()
    training: Training = Training(steps=8000, batch=1024, learning_rate=0.003)


class DagmSynthesize(Section):
    """Growing defects on good images."""

    samples: Positive = Field(1200, description="Candidates a bank.")
    sources: dict[Literal["cut_paste", "photometric", "procedural", "structural", "fill",
                          "shuffle", "repaint"], float] = Field(
        {"cut_paste": 0.27, "photometric": 0.13, "procedural": 0.27, "structural": 0.13,
         "fill": 0.13, "shuffle": 0.07, "repaint": 0.0},
        description="Relative share of each defect source.")
    two_tones: bool | None = Field(None, description=(
        "The line's images have two tones and nothing between, so parts of them are repainted and "
        "`sources` does not count; null: measured."))

    @model_validator(mode="after")
    def _some_source_is_left(self) -> "DagmSynthesize":
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
    """The discriminators, and what is joined with their answer."""

    network: Denoiser = Denoiser(blocks=2)
    training: Training = Training(steps=3000)
    members: Positive = Field(1, description=(
        "Networks that answer together; each is trained for all of the steps."))
    told: float = Field(0.15, gt=0, lt=1, description=(
        "Weight of nearness to defects that people confirmed, of 1; where nobody did it is none."))
    normality: bool = Field(True, description=(
        "Join the logits with the texture of good images, where places are alike."))
    mirrored: bool | None = Field(None, description=(
        "Answer with the mean over an image's four mirrorings, in four times the time; null: "
        "where parts are judged by tiles."))
    undecidable_rate: float = Field(0.01, gt=0, lt=1, description=(
        "Share of good parts that may be called undecidable: out of focus, too dark, foreign, ..."))

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
