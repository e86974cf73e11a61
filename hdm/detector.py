"""`hdm.HDM`: a calibrated detector as a library object. Load, predict, save."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor
from torch.nn import functional as F

from hdm.dagm.prior import NormalPrior, load_weights
from hdm.dataset.appearance import Appearance
from hdm.dataset.tiles import over_tiles
from hdm.ddm.ensemble import Ensemble
from hdm.ddm.network import Judgement
from hdm.ddm.process import answer
from hdm.diffusion.compute import Backend
from hdm.errors import DataError, HDMError
from hdm.files import atomic_file, read_json, write_json
from hdm.pom.calibration import Calibration
from hdm.pom.normality import Normality
from hdm.pom.operating_point import OPERATING_POINT_FILE, OperatingPoint, choose
from hdm.pom.scoring import Evidence
from hdm.settings import Compute, DdmTrain, ThresholdRule

NOISE_SEED = 20_252_200
BATCH = 32
NORMALITY = "normality.safetensors"


@dataclass(frozen=True)
class Prediction:
    """What HDM says of one image.

    score: higher is more anomalous, unbounded. p_value: share of good parts expected to score at
    least as high. probability: indicative, in [0, 1]. threshold: the score above which the
    decision is "defect". anomaly_map: (H, W) float32 in [0, 1] at the image's own size.
    appearance: how the image looks to the detector.
    """

    score: float
    p_value: float
    probability: float
    decision: Literal["good", "defect"]
    threshold: float
    anomaly_map: np.ndarray
    appearance: Appearance


class HDM:
    """A calibrated Hybrid Diffusion Model of one product line."""

    def __init__(self, prior: NormalPrior, network: Ensemble, settings: DdmTrain,
                 calibration: Calibration | None, info: dict[str, Any],
                 normality: Normality | None = None,
                 operating_point: OperatingPoint | None = None) -> None:
        self.prior, self.settings, self.calibration, self.info = prior, settings, calibration, info
        self.backend, self.form = prior.backend, prior.form
        self.network = self.backend.place(network).eval()
        self.normality = normality
        self._operating_point = operating_point

    @property
    def operating_point(self) -> OperatingPoint:
        """What decisions are made by; where none was set, the one of a line without settings."""
        return self._operating_point or choose(self.calibrated, ThresholdRule())

    @operating_point.setter
    def operating_point(self, point: OperatingPoint) -> None:
        self._operating_point = point

    @property
    def threshold(self) -> float:
        """Scores above it are called defects."""
        return self.operating_point.threshold

    @property
    def mirrored(self) -> bool:
        """Whether it answers with the mean over mirrorings: where places mean nothing, a mirrored
        part is most often as good, and four answers err less than one."""
        wanted = self.settings.mirrored
        return self.form.fit == "tile" if wanted is None else wanted

    @torch.no_grad()
    def judge(self, canvas: Tensor) -> Judgement:
        """What the discriminator says of normalised canvas-size images (N, C, h, w).

        The prior's noise is the same for every image, so an image's answer does not depend on
        its neighbours in the batch.
        """
        x = canvas.to(self.backend.device)
        level = self.settings.prior_level
        noise = torch.randn(1, *x.shape[1:], generator=torch.Generator().manual_seed(NOISE_SEED))

        def appearance(state: Tensor) -> Tensor | None:
            return None if level is None else self.prior.normal_appearance(state, level, noise)

        with self.backend.autocast():
            judged = answer(self.network, x, appearance, self.settings.reverse_steps,
                            mirrored=self.mirrored)
        return Judgement(judged.normal.cpu(), judged.logits.cpu(), judged.context.float().cpu())

    def evidence(self, canvas: Tensor) -> Evidence:
        """Evidence of a defect in (N, C, h, w): the discriminator's, and what POM knows of good
        images."""
        parts = [self._evidence(part) for part in canvas.split(BATCH)]
        return parts[0]._replace(pixels=torch.cat([part.pixels for part in parts]),
                                 oddness=torch.cat([part.oddness for part in parts]))

    def _evidence(self, canvas: Tensor) -> Evidence:
        judged = self.judge(canvas)
        return self.known.evidence(canvas.cpu(), judged.logits, judged.context)

    def predict(self, images: Sequence[np.ndarray], batch_size: int = 16,
                progress: Callable[[int, int], None] | None = None) -> list[Prediction]:
        """Judge images of any size.

        Args:
            images: (H, W) or (H, W, 3), uint8 or uint16.

        Raises DataError for another shape or type, ValueError if the detector is not calibrated.
        """
        calibration, limit = self.calibrated, self.threshold
        out: list[Prediction] = []
        for start in range(0, len(images), batch_size):
            part = images[start:start + batch_size]
            for image in part:
                _check(image)
            prepared = [self.form.prepare(image) for image in part]
            for native, seen, found in zip(part, prepared, self.inspect(prepared), strict=True):
                score, anomaly = found.scores.item(), found.pixels
                if native.shape[:2] != tuple(anomaly.shape[-2:]):
                    anomaly = F.interpolate(anomaly, size=native.shape[:2], mode="bilinear",
                                            align_corners=False)
                slope, bias = calibration.pixel
                anomaly_map = torch.sigmoid(slope * anomaly + bias)[0, 0].numpy()
                out.append(Prediction(
                    score, calibration.p_value(score), calibration.probability(score),
                    "defect" if score > limit else "good", limit,
                    anomaly_map.astype(np.float32), Appearance.of(seen)))
            if progress:
                progress(len(out), len(images))
        return out

    def save(self, folder: Path | str) -> None:
        """Write weights (safetensors) and settings (JSON) into `folder`, made if need be."""
        folder = Path(folder)
        (folder / "prior").mkdir(parents=True, exist_ok=True)
        self.prior.save(folder / "prior")
        with atomic_file(folder / "detector.safetensors") as temporary:
            temporary.write_bytes(save(
                {k: v.contiguous() for k, v in self.network.state_dict().items()}))
        self.known.save(folder / NORMALITY)
        if self._operating_point:
            write_json(folder / OPERATING_POINT_FILE, self._operating_point.as_dict())
        write_json(folder / "detector.json", {
            "settings": self.settings.model_dump(mode="json"),
            "calibration": self.calibration.as_dict() if self.calibration else None,
            "info": self.info})

    @classmethod
    def load(cls, folder: Path | str, device: str = "auto", precision: str = "auto",
             threads: int | None = None) -> "HDM":
        """Read what `save` wrote; raises HDMError if files are missing, corrupt or do not fit."""
        folder = Path(folder)
        choice: dict[str, Any] = {"device": device, "precision": precision}
        backend = Backend(Compute(**choice, **({"threads": threads} if threads else {})))
        content = read_json(folder / "detector.json")
        prior = NormalPrior.load(folder / "prior", backend)
        try:
            settings = DdmTrain.model_validate(content["settings"])
            calibration = content["calibration"] and Calibration.from_dict(content["calibration"])
            info = dict(content["info"])
        except (KeyError, TypeError, ValueError):
            raise HDMError(f"{folder / 'detector.json'} does not describe a detector of this "
                           "version; restore it with `dvc checkout` or train again.") from None
        network = Ensemble(prior.form.channels, settings)
        load_weights(network, folder / "detector.safetensors")
        normality = Normality.load(folder / NORMALITY)
        chosen = folder / OPERATING_POINT_FILE
        point = OperatingPoint.from_dict(read_json(chosen)) if chosen.is_file() else None
        return cls(prior, network, settings, calibration, info, normality, point)

    def inspect(self, images: Sequence[Tensor]) -> list[Evidence]:
        """`evidence` of each of the images (C, H, W) as `InputFormat.prepare` gives them.

        Canvases are judged together, native images tile by tile.
        """
        if self.form.fit == "resize":
            found = self.evidence(torch.stack(list(images)))
            return [found._replace(pixels=pixels, oddness=oddness) for pixels, oddness
                    in zip(found.pixels.split(1), found.oddness.split(1), strict=True)]
        return [self._over_tiles(image[None]) for image in images]

    def _over_tiles(self, image: Tensor) -> Evidence:
        tile = (self.form.height, self.form.width)
        pixels = over_tiles(image, tile, lambda tiles: self.evidence(tiles).pixels)
        return Evidence(pixels, torch.zeros(1), tile, self.known.expected)

    @property
    def known(self) -> Normality:
        """What is known of good images; raises ValueError where nothing is."""
        if self.normality is None:
            raise ValueError("the detector knows no good images; run the ddm_train stage")
        return self.normality

    @property
    def calibrated(self) -> Calibration:
        """The calibration; raises ValueError where there is none."""
        if self.calibration is None:
            raise ValueError("the detector is not calibrated; run the ddm_train stage")
        return self.calibration


def _check(image: np.ndarray) -> None:
    if not isinstance(image, np.ndarray) or image.dtype not in (np.uint8, np.uint16) \
            or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)) or not image.size:
        kind = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image)
        raise DataError("expected an image of shape (H, W) or (H, W, 3) of uint8 or uint16, "
                        f"received {kind}; read files with hdm.dataset.images.read_image.")
