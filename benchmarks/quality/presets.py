"""How much work a run may cost: overrides of params.yaml, the same for every set and method."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hdm.config import load_params, merge
from hdm.pipelines import ProductLine, Source
from hdm.settings import Params

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Preset:
    """overrides: keys of params.yaml. images: at most so many of each split and kind. good: of the
    images that are learned from and held out, so many together."""

    overrides: dict[str, Any] = field(default_factory=dict)
    images: int | None = None
    good: int | None = None


PRESETS = {
    # Says nothing of quality: it shows in seconds that everything runs.
    "smoke": Preset({
        "image": {"size": 64},
        "dagm_fit": {"views": 1, "training": {"steps": 6, "batch": 256}},
        "dagm_synthesize": {"samples": 40},
        "ddm_train": {"training": {"steps": 6, "batch": 4}},
    }, images=12),
    # The pipeline's own, from params.yaml.
    "instant": Preset({"preset": "instant"}),
    "fast": Preset({"preset": "fast"}),
    "standard": Preset({"preset": "standard"}),
    "max": Preset({"preset": "max"}),
    # A new line, of which few good images are known.
    **{f"few-{good}": Preset({"preset": "fast"}, good=good) for good in (20, 50, 100)},
}


def params_of(preset: str, *, seed: int, threads: int | None = None,
              over: dict[str, Any] | None = None) -> Params:
    """params.yaml with the preset's and the method's overrides; raises ConfigError."""
    changes = merge(PRESETS[preset].overrides, over or {})
    changes = merge(changes, {"seed": seed})
    if threads:
        changes = merge(changes, {"compute": {"threads": threads}})
    line = ProductLine(source=Source(path="benchmark"), overrides=changes)
    return load_params(PROJECT, line, f"benchmark {preset}")
