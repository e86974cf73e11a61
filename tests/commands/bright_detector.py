"""Detectors for which what is bright is odd, so that no network is needed."""

import numpy as np
from small_split import FakePrediction

from hdm.detector.operating_point import OperatingPoint
from hdm.detector.regions import RegionRule


class Detector:
    """Brightness is anomaly."""

    region_rule = RegionRule(0.5)
    operating_point = OperatingPoint(0.5, 0.05, True, "rate", None, None, 19, 0.05, 0.1, 0.05)

    batches: list[int]

    def __init__(self) -> None:
        self.batches = []

    def predict(self, images: list[np.ndarray], batch_size: int = 16) -> list[FakePrediction]:
        self.batches.append(len(images))
        means = [float(image.mean()) / 255 for image in images]
        return [FakePrediction(mean, 1 - mean, mean, "defect" if mean > 0.5 else "good", 0.5,
                        np.full(image.shape[:2], mean, np.float32))
                for image, mean in zip(images, means, strict=True)]


class Seeing(Detector):
    """What is bright is an anomaly, and any of it is a defect."""

    def predict(self, images: list[np.ndarray], batch_size: int = 16) -> list[FakePrediction]:
        maps = [image.reshape(*image.shape[:2], -1).mean(2) / np.iinfo(image.dtype).max
                for image in images]
        return [FakePrediction(float(found.max()), 0.1, 0.9,
                               "defect" if found.max() > 0.5 else "good", 0.5,
                               found.astype(np.float32)) for found in maps]
