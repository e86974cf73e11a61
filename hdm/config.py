"""params.yaml + pipelines.yaml as one validated, frozen object for one product line.

`params.yaml` holds the defaults of every line; each line in `pipelines.yaml` may override any of
them. Every knob is documented where it is declared; `hdm config schema` prints these texts.
"""

import difflib
import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML, YAMLError

from hdm.errors import ConfigError

STAGES = (
    "ingest",
    "validate",
    "dagm_fit",
    "dagm_synthesize",
    "pom_filter",
    "ddm_train",
    "evaluate",
    "register",
)
LINE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A closed, immutable group of settings: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=Section)


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
        "tile for larger images on which no place is like another part's same place."))


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
    start_low: Fraction = Field(0.2, description="Earliest start of the reverse process / range.")
    start_high: Fraction = Field(0.8, description="Latest start of the reverse process / range.")
    sources: dict[Literal["diffusion", "cut_paste", "photometric", "procedural", "structural",
                          "fill", "shuffle"], float] = Field(
        {"diffusion": 0.25, "cut_paste": 0.2, "photometric": 0.1, "procedural": 0.2,
         "structural": 0.1, "fill": 0.1, "shuffle": 0.05},
        description="Relative share of each defect source.")

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


class Calibration(Section):
    """From evidence to decisions, on held-out good images alone."""

    false_alarm_rate: float = Field(0.05, gt=0, lt=1, description=(
        "Share of good parts that may be called defective."))


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
    training: Training = Training(steps=1200)
    reverse_steps: Positive = Field(1, description="K: reverse steps at detection.")
    fresh: Fraction = Field(0.8, description=(
        "Share of the samples that are drawn anew from the recipe of one that POM kept."))
    noise: Fraction = Field(0.15, description="Largest noise of an intermediate state.")
    prior_level: Fraction | None = Field(None, description=(
        "Noise level / range at which the discriminator is shown what the prior finds normal; "
        "null: not shown."))
    normality: bool = Field(True, description=(
        "Join the discriminator's logits with the density of its features on good images."))
    benign: Benign = Benign()
    calibration: Calibration = Calibration()


class Evaluate(Section):
    """How quality is measured."""

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


class Params(Section):
    """Defaults of every line (params.yaml), one section a stage beside what stages share."""

    preset: str = Field("fast", description="Which of `presets` is laid over the other keys.")
    presets: dict[str, dict[str, Any]] = Field({"fast": {}}, description=(
        "Named sets of keys: how much a line's training may cost, and what it is spent on."))
    seed: int = Field(0, ge=0, description="Every random choice follows from it.")
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
    overrides: dict[str, Any] = Field({}, description="Any key of params.yaml, for this line.")


class Pipelines(Section):
    """pipelines.yaml."""

    sample_lines: tuple[str, ...] = Field((), description="Lines whose images `hdm samples` draws.")
    lines: dict[str, ProductLine]


def load_pipelines(project: Path) -> Pipelines:
    """Read pipelines.yaml; raises ConfigError naming the key at fault and the nearest valid one."""
    pipelines = _validated(Pipelines, _read_yaml(project / "pipelines.yaml"), "pipelines.yaml")
    for name in pipelines.lines:
        check_line_name(name)
    unknown = [name for name in pipelines.sample_lines if name not in pipelines.lines]
    if unknown:
        raise ConfigError(f"pipelines.yaml: sample_lines names {unknown[0]!r}, which is not under "
                          "`lines`; add it there or remove it here.")
    return pipelines


def load_params(project: Path, line: ProductLine | None = None, name: str = "") -> Params:
    """params.yaml, the chosen preset over it, the line's overrides on top; raises ConfigError."""
    defaults = _read_yaml(project / "params.yaml")
    presets = _validated(Params, defaults, "params.yaml").presets
    for title, keys in presets.items():
        _validated(Params, merge(defaults, keys), f"params.yaml: presets.{title}")
    overrides = line.overrides if line else {}
    merged = merge(defaults, overrides)
    where = f"pipelines.yaml: lines.{name}.overrides" if overrides else "params.yaml"
    chosen = _validated(Params, merged, where).preset
    if chosen not in presets:
        raise ConfigError(f"{where}: there is no preset {chosen!r}; expected one of: "
                          f"{', '.join(presets)}.")
    return _validated(Params, merge(merge(defaults, presets[chosen]), overrides), where)


def stage_settings(params: Params, stage: str) -> dict[str, Any]:
    """All that the result of `stage` depends on: its own section and what stages share."""
    content = params.model_dump(mode="json", by_alias=True)
    shared = {"ingest": {"seed"}, "validate": set(), "evaluate": {"seed", "compute"},
              "register": set()}.get(stage, {"seed", "image", "compute"})
    return {key: content[key] for key in sorted({stage} | shared)}


def check_line_name(name: str) -> str:
    """Return `name` if it can name a folder, a DVC stage, a deployment and a model; else raise."""
    if not LINE_NAME.fullmatch(name):
        raise ConfigError(
            f"line name {name!r}: expected 1 to 63 characters of a-z, 0-9, '_' and '-', starting "
            "with a letter or digit (it names folders, stages, deployments and models); rename it "
            "in pipelines.yaml.")
    return name


def merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`base` with the leaves of `over` on top; mappings merge, all else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, dict) and isinstance(value, dict) \
            else value
    return merged


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"expected {path.name} in {path.parent}, found none; run this in the "
                          "project's folder.") from None
    except (YAMLError, UnicodeDecodeError, OSError) as error:
        detail = " ".join(str(error).split())
        raise ConfigError(f"{path.name} is not readable YAML: {detail}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path.name}: expected a mapping of keys, found a "
                          f"{type(content).__name__}.")
    return content


def _validated(model: type[Model], content: dict[str, Any], where: str) -> Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"{where}: {_sentence(model, first)}") from None


def _sentence(model: type[Section], error: Any) -> str:
    """One readable sentence for the first thing pydantic objects to."""
    path = ".".join(str(part) for part in error["loc"] if part != "[key]")
    if error["type"] == "extra_forbidden":
        valid = _valid_keys(model, error["loc"][:-1])
        near = difflib.get_close_matches(str(error["loc"][-1]), valid, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"valid keys: {', '.join(valid)}."
        return f"unknown key {path!r}; {hint}"
    if error["type"] == "missing":
        return f"the key {path!r} is missing; add it."
    received = repr(error["input"])
    message = error["msg"].removeprefix("Value error, ")
    return f"{path}: {message} (received {received[:80]})." if path else f"{message}."


def _valid_keys(model: type[Section], path: tuple[Any, ...]) -> list[str]:
    """Keys allowed at `path` below `model`."""
    current: Any = model
    for part in path:
        fields = {f.alias or name: f for name, f in current.model_fields.items()} \
            if isinstance(current, type) and issubclass(current, BaseModel) else {}
        if part in fields:
            current = next((a for a in (fields[part].annotation,
                                        *getattr(fields[part].annotation, "__args__", ()))
                            if isinstance(a, type) and issubclass(a, BaseModel)), ProductLine)
    return [field.alias or name for name, field in current.model_fields.items()]
