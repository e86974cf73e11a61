"""Which name a new image gets in a line's source: an old one is never overwritten or shadowed."""

from collections.abc import Iterator
from pathlib import Path

from hdm.dataset.manifest import GOOD
from hdm.errors import ConfigError
from hdm.ingest.readers import detect
from hdm.ingest.readers.folder import MASKS
from hdm.ingest.readers.folder_names import means_good, means_masks, stems_of_image
from hdm.ingest.readers.image_record import Record, list_folders, list_images
from hdm.pipelines import Source

LAYOUTS = ("folder", "mvtec")


def layout_of(source: Path, wanted: Source) -> str:
    """`folder` or `mvtec`; raises ConfigError for a source that new images cannot be put into."""
    found = detect(source)[0] if wanted.format == "auto" else wanted.format
    if found not in LAYOUTS:
        raise ConfigError(f"new images are taken into sources of the format {' or '.join(LAYOUTS)},"
                          f" and {source} is of the format {found}; add the images to the source "
                          "by hand, or rearrange it.")
    return found


class Places:
    """Names for new images in one source; each call takes its name from the later ones."""

    def __init__(self, source: Path, layout: str) -> None:
        self._source, self._layout = source, layout
        self._taken: dict[str, set[str]] = {}
        self._good = next((name for name in list_folders(source) if means_good(name)), GOOD)
        self._masks = [path for path in list_images(source, ".")
                       if any(map(means_masks, Path(path).parts[:-1]))]

    def take(self, image: Record, pixels: str) -> tuple[str, tuple[str, ...]]:
        """Paths of image and masks relative to the source.

        The image keeps its name, subfolders of the inbox joined with '-'. Cameras begin to count
        again: where the name is taken, the first digits of the pixels' hash are added.
        """
        kind, path = image.defect_type, Path(image.path)
        folder = self._folder(kind)
        taken = self._taken.setdefault(folder, set(self._stems(folder, kind)))
        stem = "-".join(path.with_suffix("").parts[-1 if len(path.parts) == 1 else 1:])
        name = next(name for name in (stem, f"{stem}-{pixels[:8]}", f"{stem}-{pixels}")
                    if name not in taken)
        taken.add(name)
        masks = tuple(
            f"{MASKS}/{kind}/{name}_mask{f'_{number}' * (number > 1)}{Path(mask).suffix.lower()}"
            for number, mask in enumerate(image.masks, 1))
        return f"{folder}/{name}{path.suffix}", masks

    def _folder(self, kind: str) -> str:
        if self._layout == "folder":
            return kind if kind != GOOD else self._good
        return f"train/{GOOD}" if kind == GOOD else f"test/{kind}"

    def _stems(self, folder: str, kind: str) -> Iterator[str]:
        """Stems that images or masks of the folder have; a mask is found by its image's stem."""
        for path in list_images(self._source, folder):
            yield Path(path).stem
        for path in self._masks:
            if kind in Path(path).parts:
                yield from stems_of_image(Path(path).stem)
