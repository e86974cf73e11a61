"""`hdm.HDM`: a calibrated detector as a library object. Load, predict, save."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from hdm.dataset.appearance import Appearance
from hdm.dataset.input_format import InputFormat
from hdm.detector.calibration import Calibration
from hdm.detector.ddm import DDM
from hdm.detector.decidability import Decidability, Doubt
from hdm.detector.operating_point import OPERATING_POINT_FILE, OperatingPoint
from hdm.detector.regions import RegionRule
from hdm.detector.scorer import Inspected, Scorer
from hdm.diffusion.compute import Backend
from hdm.errors import DataError, HDMError
from hdm.files import read_json, write_json
from hdm.model_settings import Compute, DdmTrain

Decision = Literal["good", "defect", "undecidable"]


@dataclass(frozen=True)
class Prediction:
    """What HDM says of one image.

    score: higher is more anomalous, unbounded. p_value: share of good parts expected to score at
    least as high. probability: indicative, in [0, 1]. threshold: the score above which the
    decision is "defect", unless the picture is "undecidable"; reasons says why. anomaly_map: (H, W)
    float32 in [0, 1] at the image's own size. appearance: how the image looks to the detector.
    ignored: (H, W) bool, where nothing is inspected and the map is 0; None where all is.
    """

    score: float
    p_value: float
    probability: float
    decision: Decision
    threshold: float
    anomaly_map: np.ndarray
    appearance: Appearance
    reasons: tuple[Doubt, ...] = ()
    ignored: np.ndarray | None = None


class HDM:
    """A calibrated Hybrid Diffusion Model of one product line.

    `hdm.pom.discrimination.building.build_detector` makes it from what was trained.
    """

    def __init__(self, scorer: Scorer, calibration: Calibration, operating_point: OperatingPoint,
                 info: dict[str, Any], decidability: Decidability | None = None) -> None:
        self.scorer, self.calibration, self.info = scorer, calibration, info
        self.operating_point, self.decidability = operating_point, decidability

    @property
    def settings(self) -> DdmTrain:
        """What it was trained with."""
        return self.scorer.ddm.settings

    @property
    def form(self) -> InputFormat:
        """How images become canvases."""
        return self.scorer.ddm.form

    @property
    def threshold(self) -> float:
        """Scores above it are called defects."""
        return self.operating_point.threshold

    @property
    def region_rule(self) -> RegionRule:
        """What is told as a region of its anomaly maps."""
        return RegionRule.of(self.threshold, self.calibration.pixel, self.form.as_dict())

    def with_operating_point(self, point: OperatingPoint) -> "HDM":
        """The same detector, deciding by another operating point."""
        return HDM(self.scorer, self.calibration, point, self.info, self.decidability)

    def appearance(self, prepared: Tensor) -> Appearance:
        """How a prepared image (C, H, W) looks to the discriminator."""
        return Appearance.of(self.form.for_discriminator(prepared[None])[0])

    def predict(self, images: Sequence[np.ndarray], batch_size: int = 16,
                progress: Callable[[int, int], None] | None = None) -> list[Prediction]:
        """Judge images of any size.

        Args:
            images: (H, W) or (H, W, 3), uint8 or uint16.

        Raises DataError for another shape or type.
        """
        calibration, limit = self.calibration, self.threshold
        out: list[Prediction] = []
        for start in range(0, len(images), batch_size):
            part = images[start:start + batch_size]
            for image in part:
                _check(image)
            prepared = [self.form.prepare(image) for image in part]
            inspected = self.scorer.inspect(prepared)
            for native, seen, found in zip(part, prepared, inspected, strict=True):
                score, anomaly = found.evidence.scores.item(), found.evidence.pixels
                called, reasons = score > limit, self.doubts(native, found, score > limit)
                if native.shape[:2] != tuple(anomaly.shape[-2:]):
                    anomaly = F.interpolate(anomaly, size=native.shape[:2], mode="bilinear",
                                            align_corners=False)
                slope, bias = calibration.pixel
                anomaly_map = torch.sigmoid(slope * anomaly + bias)[0, 0].numpy()
                ignored = self.form.ignored_pixels(*native.shape[:2])
                if ignored is not None:
                    anomaly_map = np.where(ignored, np.float32(0), anomaly_map)
                out.append(Prediction(
                    score, calibration.p_value(score), calibration.probability(score),
                    decided(called, reasons), limit, anomaly_map.astype(np.float32),
                    self.appearance(seen), reasons=reasons, ignored=ignored))
            if progress:
                progress(len(out), len(images))
        return out

    def doubts(self, image: np.ndarray, found: Inspected, called: bool) -> tuple[Doubt, ...]:
        """Why a native image is undecidable; () where it is not, or the detector is of a version
        that does not ask."""
        if self.decidability is None:
            return ()
        figures = self.decidability.figures(image, found.overview,
                                            self.form.ignored_pixels(*image.shape[:2]))
        return self.decidability.limits.doubts(figures, called=called)

    def save(self, folder: Path | str) -> None:
        """Write weights (safetensors) and settings (JSON) into `folder`, made if need be."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.scorer.save(folder)
        self.operating_point.save(folder / OPERATING_POINT_FILE)
        decidability = self.decidability
        if decidability is not None:
            decidability.save(folder)
        write_json(folder / "detector.json", {
            "input": self.form.as_dict(), "settings": self.settings.model_dump(mode="json"),
            "calibration": self.calibration.as_dict(), "info": self.info,
            "decidability": None if decidability is None else decidability.limits.as_dict()})

    @classmethod
    def load(cls, folder: Path | str, device: str = "auto", precision: str = "auto",
             threads: int | None = None, operating_point: Path | None = None) -> "HDM":
        """Read what `save` wrote; raises HDMError if files are missing, corrupt or do not fit.

        operating_point: a file with another one to decide by.
        """
        folder = Path(folder)
        choice: dict[str, Any] = {"device": device, "precision": precision}
        backend = Backend(Compute(**choice, **({"threads": threads} if threads else {})))
        content = read_json(folder / "detector.json")
        try:
            form = InputFormat(**content["input"])
            settings = DdmTrain.model_validate(content["settings"])
            calibration = Calibration.from_dict(content["calibration"])
            info, limits = dict(content["info"]), content.get("decidability")
            decidability = Decidability.load(folder, limits) if limits else None
        except (KeyError, TypeError, ValueError):
            raise HDMError(f"{folder / 'detector.json'} does not describe a detector of this "
                           "version; restore it with `dvc checkout` or train again.") from None
        scorer = Scorer.load(folder, DDM.load(folder, form, settings, backend))
        return cls(scorer, calibration,
                   OperatingPoint.load(operating_point or folder / OPERATING_POINT_FILE), info,
                   decidability)


def decided(called: bool, reasons: Sequence[Doubt]) -> Decision:
    """The decision of a picture whose score calls it a defect or not."""
    return "undecidable" if reasons else "defect" if called else "good"


def ignored_by(folder: Path) -> str:
    """The ignore mask, as text, of the detector in a folder; "" without one."""
    return str(read_json(folder / "detector.json").get("input", {}).get("ignored", ""))


def _check(image: np.ndarray) -> None:
    if not isinstance(image, np.ndarray) or image.dtype not in (np.uint8, np.uint16) \
            or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)) or not image.size:
        kind = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image)
        raise DataError("expected an image of shape (H, W) or (H, W, 3) of uint8 or uint16, "
                        f"received {kind}; read files with hdm.dataset.images.read_image.")
