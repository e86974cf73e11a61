"""What a model was trained and calibrated on, short enough for a tag of its version."""

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from hdm.dataset.manifest import Manifest  # it imports pandas, and tables of versions do not

TRAINED_ON, TRAINED_IMAGES = "hdm.training_data", "hdm.training_images"
LEARNED_FROM = ("train", "calibration")


class TrainingData(NamedTuple):
    """digest: of the pixels, whatever their names and order. images: how many."""

    digest: str
    images: int

    @classmethod
    def of(cls, manifest: "Manifest") -> "TrainingData":
        """Of the splits that a model learns from."""
        frame = manifest.frame
        seen = sorted(frame.loc[frame["split"].isin(LEARNED_FROM), "sha256"])
        return cls(hashlib.sha256("\n".join(seen).encode()).hexdigest(), len(seen))

    @classmethod
    def from_tags(cls, tags: dict[str, Any]) -> "TrainingData | None":
        """Of a registered version; None where it was registered without them."""
        digest, images = tags.get(TRAINED_ON), str(tags.get(TRAINED_IMAGES, ""))
        return cls(digest, int(images)) if digest and images.isdigit() else None

    def tags(self) -> dict[str, str]:
        """The inverse of `from_tags`."""
        return {TRAINED_ON: self.digest, TRAINED_IMAGES: str(self.images)}

    def newer_than(self, other: "TrainingData | None") -> bool:
        """Whether there are other images and not fewer; False where the other is not known."""
        return other is not None and self.digest != other.digest and self.images >= other.images
