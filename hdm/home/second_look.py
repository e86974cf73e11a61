"""A version looks at one test picture again, for a person who wants to see its anomaly map."""

from collections import OrderedDict

from hdm.dataset.images import read_image
from hdm.home.detectors_at_hand import DetectorsAtHand
from hdm.home.line_pictures import beside_its_map, known_picture
from hdm.line import Line

SEEN = 256
"""Pictures in memory, of some 100 kB each."""


class SecondLook:
    """Remembers what it has drawn."""

    def __init__(self, detectors: DetectorsAtHand) -> None:
        self._detectors = detectors
        self._seen: OrderedDict[tuple[str, str, str], bytes] = OrderedDict()

    def __call__(self, line: Line, version: int, path: str) -> bytes:
        """The test picture with its ground truth, and the version's anomaly map of it, as a JPEG.

        Raises DataError for an unknown picture, RegistryError for a version that does not load.
        """
        manifest, row = known_picture(line, path)
        key = (line.name, str(version), row.sha256)
        drawn = self._seen.get(key)
        if drawn is None:
            image = read_image(manifest.image_file(row))
            with self._detectors.version(line, str(version)) as served:
                [found] = served.judge.predict([image])
                drawn = self._seen[key] = beside_its_map(
                    image, manifest.mask_file(row), found.anomaly_map, found.ignored)
                if len(self._seen) > SEEN:
                    self._seen.popitem(last=False)
        return drawn
